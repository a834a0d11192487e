/** What a chart is given: lines, and what stands on or over its x axis. */
import type { Points } from "@/series/points";

export interface Series extends Points {
  id: string;
  label: string;
  /** Which colour and dash pattern: the same number, the same style, on every chart of a page. */
  style: number;
  /** Few, single measurements (a validation loss): marked as points, and never smoothed. */
  sparse?: boolean;
  /** How many points there were before thinning, if more than are here. */
  total?: number;
  /** A band around the line, as long as the line: where the runs lie whose mean it is. */
  band?: { low: (number | null)[]; high: (number | null)[] };
}

/** A horizontal line over the whole width, with its words: what a curve is to be held against. */
export interface Level {
  y: number;
  label: string;
  /** What it is computed from. */
  meaning: string;
  /** As a line's. */
  style: number;
}

/** Something on the x axis that can be clicked: a checkpoint. */
export interface Tick {
  x: number;
  label: string;
  onClick: () => void;
}

/** A vertical line over the whole height: a point that was not a number, an alert. */
export interface Mark {
  x: number;
  label: string;
  /** Written beside the line; else it stands in the words below the chart only. */
  word?: string;
}
