import { ActionIcon, Group, Loader, Paper, Slider, Text } from "@mantine/core";
import { useReducedMotion } from "@mantine/hooks";
import {
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconPlayerSkipBack,
  IconPlayerSkipForward,
} from "@tabler/icons-react";
import { useEffect, useState } from "react";
import classes from "./Scrubber.module.css";

interface Props {
  frames: { name: string; step: number | null }[];
  at: number;
  onGo: (at: number) => void;
  loading: boolean;
  /** A number for each frame that is drawn behind the slider, and what it is. */
  curve?: { values: (number | null)[]; name: string };
}

const PACE = 650; // ms a frame
const SLOW_PACE = 1500; // where less motion is asked for

/** Plays one prompt through the checkpoints of a run, a frame each. */
export function Scrubber({ frames, at, onGo, loading, curve }: Props) {
  const [playing, setPlaying] = useState(false);
  const pace = useReducedMotion() ? SLOW_PACE : PACE;
  const last = frames.length - 1;
  const going = playing && frames.length > 1;

  useEffect(() => {
    if (!going) return;
    // The last frame is shown as long as any other; then the play is over.
    const timer = setTimeout(() => (at >= last ? setPlaying(false) : onGo(at + 1)), pace);
    return () => clearTimeout(timer);
  }, [going, at, last, onGo, pace]);

  if (frames.length < 2) {
    return (
      <Paper withBorder className={classes.box} role="group" aria-label="Through the checkpoints">
        <Group gap="xs">
          {loading && <Loader size="xs" aria-hidden />}
          <Text size="sm" c="dimmed" role="status">
            {loading
              ? "Asking every checkpoint of the run, to play the prompt through them…"
              : "With two checkpoints and more, this prompt can be played through the training."}
          </Text>
        </Group>
      </Paper>
    );
  }
  const frame = frames[at];
  const told = frame ? tell(frame) : "not one of the frames";
  const go = (next: number) => {
    setPlaying(false);
    onGo(Math.min(last, Math.max(0, next)));
  };
  const toggle = () => {
    if (!playing && at >= last) onGo(0);
    setPlaying(!playing);
  };
  return (
    <Paper withBorder className={classes.box} role="group" aria-label="Through the checkpoints" data-testid="scrubber">
      <Group gap="xs" wrap="nowrap">
        <ActionIcon
          variant="filled"
          size="lg"
          radius="xl"
          onClick={toggle}
          aria-label={playing ? "Pause" : "Play through the checkpoints"}
        >
          {playing ? <IconPlayerPauseFilled size={16} aria-hidden /> : <IconPlayerPlayFilled size={16} aria-hidden />}
        </ActionIcon>
        <ActionIcon
          variant="default"
          onClick={() => go(at - 1)}
          disabled={at <= 0}
          aria-label="The checkpoint before"
          visibleFrom="xs"
        >
          <IconPlayerSkipBack size={15} aria-hidden />
        </ActionIcon>
        <ActionIcon
          variant="default"
          onClick={() => go(at + 1)}
          disabled={at >= last}
          aria-label="The next checkpoint"
          visibleFrom="xs"
        >
          <IconPlayerSkipForward size={15} aria-hidden />
        </ActionIcon>
        <div className={classes.track}>
          {curve && <Behind values={curve.values} at={at} />}
          <Slider
            value={Math.max(0, at)}
            min={0}
            max={last}
            step={1}
            marks={frames.length <= 40 ? frames.map((_, value) => ({ value })) : undefined}
            label={null}
            onChange={go}
            thumbLabel="Frame"
            thumbValueText={told}
          />
        </div>
        <Text className={classes.step} size="sm" fw={600} data-testid="frame" data-step={frame?.step}>
          {told}
        </Text>
      </Group>
      {curve && (
        <Text size="xs" c="dimmed" mt={4}>
          The curve above the slider: {curve.name}. Colours mean the same in every frame.
        </Text>
      )}
    </Paper>
  );
}

function tell({ name, step }: Props["frames"][number]): string {
  return step === null ? name : `step ${step.toLocaleString("en")}`;
}

/** A curve over the frames, each point above its mark on the slider. */
function Behind({ values, at }: { values: (number | null)[]; at: number }) {
  const known = values.filter((value) => value !== null);
  const low = Math.min(...known);
  const wide = Math.max(...known) - low || 1;
  const place = (value: number, index: number) => ({
    x: (index / Math.max(1, values.length - 1)) * 100,
    y: 24 - ((value - low) / wide) * 20,
  });
  const points = values.flatMap((value, index) => (value === null ? [] : [place(value, index)]));
  const value = values[at];
  const dot = value === null || value === undefined ? null : place(value, at);
  return (
    <div className={classes.behind} aria-hidden>
      <svg viewBox="0 0 100 28" preserveAspectRatio="none" width="100%" height="28">
        <polyline
          points={points.map(({ x, y }) => `${x},${y}`).join(" ")}
          fill="none"
          stroke="currentColor"
          strokeWidth="1.5"
          vectorEffect="non-scaling-stroke"
        />
      </svg>
      {dot && <span className={classes.dot} style={{ left: `${dot.x}%`, top: dot.y }} />}
    </div>
  );
}
