/** The pages of the lab: where they are, what they are called, and the file of each. */
import {
  IconChartLine,
  IconChartScatter,
  IconDatabase,
  IconListDetails,
  IconMessage2,
  IconMicroscope,
  IconPlus,
  IconRoute,
  IconScissors,
  type IconProps,
} from "@tabler/icons-react";
import type { ComponentType } from "react";

export interface Page {
  path: string;
  title: string;
  /** In the navigation, and under which heading; without: reached from other pages. */
  group?: "Train" | "Look inside";
  icon: ComponentType<IconProps>;
  load: () => Promise<{ default: ComponentType }>;
}

export const PAGES: Page[] = [
  { path: "/runs", title: "Runs", group: "Train", icon: IconListDetails, load: () => import("@/pages/Runs") },
  { path: "/new", title: "New run", group: "Train", icon: IconPlus, load: () => import("@/pages/NewRun") },
  { path: "/runs/:run", title: "Run", icon: IconChartLine, load: () => import("@/pages/Run") },
  { path: "/compare", title: "Compare", group: "Train", icon: IconChartScatter, load: () => import("@/pages/Compare") },
  {
    path: "/checkpoints",
    title: "Checkpoints",
    group: "Train",
    icon: IconDatabase,
    load: () => import("@/pages/Checkpoints"),
  },
  {
    path: "/playground",
    title: "Playground",
    group: "Look inside",
    icon: IconMessage2,
    load: () => import("@/pages/Playground"),
  },
  {
    path: "/inside",
    title: "Inside",
    group: "Look inside",
    icon: IconMicroscope,
    load: () => import("@/pages/Inside"),
  },
  {
    path: "/tokenizer",
    title: "Tokenizer",
    group: "Look inside",
    icon: IconScissors,
    load: () => import("@/pages/Tokenizer"),
  },
  { path: "/learn", title: "Learn", group: "Look inside", icon: IconRoute, load: () => import("@/pages/Learn") },
];
