import { useMemo } from "react";
import { useInspect, useTimeline, type FrameOf, type ViewName, type ViewOf } from "@/api/models";
import type { Checkpoint } from "@/api/types";
import type { Chosen } from "@/components/model/useChosen";

/** The most checkpoints of a run to look at, evenly spread. Ablation runs the model once for each head. */
const MOST: Record<ViewName, number> = {
  attention: 24,
  activations: 24,
  "logit-lens": 24,
  "token-loss": 24,
  neighbors: 24,
  "embedding-map": 24,
  ablate: 12,
};
const TOP = 8;

export interface Frames<Name extends ViewName> {
  /** All that were asked for, by step; empty until they are there. */
  frames: FrameOf<Name>[];
  /** Which of them is on show; -1: none of them. */
  at: number;
  /** What is on show. */
  result: ViewOf<Name> | null;
  loading: boolean;
  error: unknown;
  retry: () => void;
}

export interface Scope {
  layer: number | null;
  head: number | null;
}

interface Ask {
  chosen: Chosen;
  prompt: string;
  /** What to ask of the one checkpoint, while the others are not there or have no answer for it. */
  scope?: Scope;
  /** What to ask of all of them. */
  only?: { layer: number; head: number } | null;
  enabled?: boolean;
}

/** A view of the chosen checkpoint at once, and of all checkpoints of its run as soon as they have come. */
export function useFrames<Name extends ViewName>(
  view: Name,
  { chosen, prompt, scope, only = null, enabled = true }: Ask,
): Frames<Name> {
  const { run, checkpoint } = chosen;
  const files = chosen.checkpoints.map(({ id, modified }) => `${id}@${modified}`).join();
  const many = chosen.checkpoints.length > 1;
  const timeline = useTimeline(view, { run, prompt, topK: TOP, frames: MOST[view], files, only }, enabled && many);
  const frames = useMemo(() => timeline.data ?? [], [timeline.data]);
  const at = frameOf(frames, checkpoint);
  const alone = at < 0 || only !== null;
  const single = useInspect(view, { checkpoint: checkpoint?.id ?? "", prompt, topK: TOP, ...scope }, enabled && alone);
  const shown = only === null ? frames[at]?.result : undefined;
  return {
    frames,
    at,
    result: shown ?? (alone ? (single.data ?? null) : null),
    loading: many && timeline.isFetching && frames.length === 0,
    error: (shown ? null : single.error) ?? timeline.error,
    retry: () => {
      void single.refetch();
      if (many) void timeline.refetch();
    },
  };
}

/** The frame of a checkpoint: its own, or that of another file with the same step. */
export function frameOf(frames: { checkpoint: string; step: number | null }[], checkpoint: Checkpoint | null): number {
  if (!checkpoint) return -1;
  const own = frames.findIndex((frame) => frame.checkpoint === checkpoint.id);
  return own >= 0 || checkpoint.step === null ? own : frames.findIndex(({ step }) => step === checkpoint.step);
}

/** The least and the greatest of all numbers; the same for every frame, so that colours mean the same in each. */
export function range(values: Iterable<number | string | null>): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (typeof value !== "number" || !Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : [0, 1];
}

/** As wide on both sides of zero, for diverging colours. */
export function even([low, high]: [number, number]): [number, number] {
  const wide = Math.max(Math.abs(low), Math.abs(high)) || 1;
  return [-wide, wide];
}

/** A number for a drawing; NaN and infinity have no place in one. */
export function drawable(value: number | string | null): number | null {
  return typeof value === "number" ? value : null;
}
