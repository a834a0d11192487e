/** The x axis of a run's curves: steps, tokens or time. */
import { inDigits } from "@/series/points";
import { duration } from "@/components/words";
import type { Track } from "@/live/record";

export const X_AXES = ["steps", "tokens", "time"] as const;
export type XAxis = (typeof X_AXES)[number];

/** What turns steps into tokens, and moments into seconds of the run. */
export interface Clock {
  tokensPerStep: number | null;
  /** Seconds since 1970 at the first event. */
  began: number | null;
}

/** Where the points of a track lie on the axis. */
export function along(axis: XAxis, { steps, times }: Track, clock: Clock): number[] {
  if (axis === "tokens" && clock.tokensPerStep !== null) return steps.map((step) => step * (clock.tokensPerStep ?? 1));
  if (axis === "time") {
    const began = clock.began ?? times[0] ?? 0;
    return times.map((time) => time - began);
  }
  return steps;
}

/** Where a step lies on the axis: for time, where the run was when it was written down as `time`. */
export function placeOf(axis: XAxis, step: number, time: number, clock: Clock): number {
  return along(axis, { steps: [step], times: [time], values: [null] }, clock)[0] ?? step;
}

export function labelOf(axis: XAxis): string {
  return { steps: "optimizer steps", tokens: "tokens seen", time: "time since the start" }[axis];
}

/** A place on the axis in words; for a label on the axis, in so many digits `more` than usual. */
export function formatOf(axis: XAxis): (x: number, more?: number) => string {
  if (axis === "time") return duration;
  return axis === "steps" ? step : inDigits;
}

/** A step is one of its own, and named whole: on an axis, in digits as few as do. */
export function step(x: number, more?: number): string {
  return more === undefined ? x.toLocaleString("en") : inDigits(x, more);
}
