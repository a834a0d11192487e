/** Mantine, told how this page looks. The defaults' greys and blues miss a contrast of 4.5:1 in places; these don't. */
import {
  Anchor,
  createTheme,
  Loader,
  Menu,
  MultiSelect,
  SegmentedControl,
  Select,
  Tabs,
  TagsInput,
  type CSSVariablesResolver,
  type MantineColorsTuple,
} from "@mantine/core";
import classes from "./theme.module.css";

const BLUE: MantineColorsTuple = [
  "#e8f4fb",
  "#d0e6f3",
  "#a3cde7",
  "#72b1d9",
  "#4a99cd",
  "#2a86c2",
  "#0072b2",
  "#00659e",
  "#005585",
  "#00446b",
];

/** From text to the deepest ground; a little blue, where Mantine's are grey. */
const DARK: MantineColorsTuple = [
  "#dfe5ea",
  "#b6c0c9",
  "#98a2ab",
  "#6b7680",
  "#3a444d",
  "#2a3138",
  "#20262c",
  "#171c20",
  "#12161a",
  "#0d1013",
];

const LIST = { defaultProps: { withScrollArea: false }, classNames: { options: classes.options } };

export const theme = createTheme({
  primaryColor: "lab",
  primaryShade: { light: 6, dark: 6 },
  colors: { lab: BLUE, dark: DARK },
  defaultRadius: "md",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  headings: {
    fontWeight: "650",
    sizes: { h1: { fontSize: "1.5rem" }, h2: { fontSize: "1.15rem" }, h3: { fontSize: "1rem" } },
  },
  respectReducedMotion: true,
  focusRing: "auto",
  cursorType: "pointer",
  components: {
    // A label needs a role to be the label of.
    Loader: Loader.extend({ defaultProps: { role: "status" } }),
    // Amid words, a colour alone makes no link.
    Anchor: Anchor.extend({ defaultProps: { underline: "always" } }),
    // A menu has items and nothing else; the first one takes the focus.
    Menu: Menu.extend({ defaultProps: { withInitialFocusPlaceholder: false } }),
    // The list itself scrolls: a box around it would be one more stop of the keyboard, or out of its reach.
    Tabs: Tabs.extend({ classNames: { list: classes.tabs, tab: classes.tab } }),
    SegmentedControl: SegmentedControl.extend({ classNames: { root: classes.segments } }),
    Select: Select.extend(LIST),
    MultiSelect: MultiSelect.extend(LIST),
    TagsInput: TagsInput.extend(LIST),
  },
});

/** Mantine's red and orange as words and lines: its own are too pale on white, and too dark on black. */
function toned(red: string, orange: string): Record<string, string> {
  const of = (name: string, colour: string) =>
    ["6", "text", "outline"].map((of) => [`--mantine-color-${name}-${of}`, colour]);
  return Object.fromEntries([...of("red", red), ...of("orange", orange)]) as Record<string, string>;
}

export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#59626a",
    "--mantine-color-placeholder": "#6a737b",
    "--mantine-color-error": "#b3261e",
    "--mantine-color-anchor": "#005c91",
    "--mantine-color-body": "#ffffff",
    "--lab-panel": "#f7f9fb",
    "--lab-line": "#dde3e8",
    "--lab-grid": "#e6eaee",
    "--lab-active": "#e3f1f9",
    "--lab-active-text": "#00446b",
    "--lab-ok": "#00704f",
    "--lab-warn": "#8a5300",
    "--lab-bad": "#b3261e",
    ...toned("#b3261e", "#8a5300"),
  },
  dark: {
    "--mantine-color-dimmed": "#a9b3bc",
    "--mantine-color-placeholder": "#98a2ab",
    "--mantine-color-error": "#ff9a91",
    "--mantine-color-anchor": "#7cc4f2",
    "--mantine-color-body": "#14181c",
    "--mantine-color-text": "#dfe5ea",
    "--lab-panel": "#1b2025",
    "--lab-line": "#333b43",
    "--lab-grid": "#2a3138",
    "--lab-active": "#12324a",
    "--lab-active-text": "#cfe8f8",
    "--lab-ok": "#3ddcaa",
    "--lab-warn": "#f0b73a",
    "--lab-bad": "#ff9a91",
    ...toned("#ff9a91", "#f0b73a"),
  },
});
