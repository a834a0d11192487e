import { Badge } from "@mantine/core";
import {
  IconAlertTriangle,
  IconCheck,
  IconClock,
  IconHandStop,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
  IconQuestionMark,
  type IconProps,
} from "@tabler/icons-react";
import type { ComponentType } from "react";
import type { RunState } from "@/api/types";
import classes from "./StateBadge.module.css";

const LOOKS: Record<RunState, { icon: ComponentType<IconProps>; tone: string; meaning: string }> = {
  queued: { icon: IconClock, tone: "quiet", meaning: "waits for the run before it" },
  running: { icon: IconPlayerPlay, tone: "ok", meaning: "is training" },
  paused: { icon: IconPlayerPause, tone: "warn", meaning: "waits to be resumed, and holds its memory" },
  stopping: { icon: IconHandStop, tone: "warn", meaning: "finishes its step and its checkpoint" },
  stopped: { icon: IconPlayerStop, tone: "quiet", meaning: "was stopped before its end" },
  finished: { icon: IconCheck, tone: "done", meaning: "has done all its steps" },
  failed: { icon: IconAlertTriangle, tone: "bad", meaning: "ended with an error" },
  lost: { icon: IconQuestionMark, tone: "bad", meaning: "its process is gone without a word" },
};

/** What a run is doing: as a word, a sign and a colour. */
export function StateBadge({ state }: { state: RunState }) {
  const { icon: Icon, tone, meaning } = LOOKS[state];
  return (
    <Badge
      variant="outline"
      className={classes.badge}
      data-tone={tone}
      leftSection={<Icon size={13} aria-hidden />}
      title={`${state}: ${meaning}`}
      data-testid="run-state"
      data-state={state}
    >
      {state}
    </Badge>
  );
}
