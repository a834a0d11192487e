/** Runs as rows: what was chosen, and what came of it. */
import type { RunSummary } from "@/api/types";
import type { Cell } from "@/components/csv";
import { finite } from "@/live/record";
import { differing, type Options, type Value } from "@/components/run/options";

export const RESULTS = ["best_val_loss", "val_loss", "train_loss", "tokens_per_second"] as const;
export type Result = (typeof RESULTS)[number];

export const RESULT_NAMES: Record<Result, string> = {
  best_val_loss: "best validation loss",
  val_loss: "last validation loss",
  train_loss: "last training loss",
  tokens_per_second: "tokens per second",
};

export interface Compared {
  run: RunSummary;
  options: Options;
  /** What tells it from the others. */
  label: string;
  /** Number of its line style: the same on every picture of the page. */
  style: number;
}

/** The table of the page: a row a run. */
export function table(compared: Compared[]): { columns: string[]; rows: Cell[][] } {
  const options = differing(compared.map((one) => one.options));
  return {
    columns: ["run", "state", "step", ...RESULTS, ...options],
    rows: compared.map(({ run, label, options: chosen }) => [
      label,
      run.state,
      run.step,
      ...RESULTS.map((result) => finite(run[result])),
      ...options.map((name) => cell(chosen[name])),
    ]),
  };
}

function cell(value: Value | undefined): Cell {
  return value === undefined || value === null ? null : typeof value === "boolean" ? String(value) : value;
}

/**
 * Where each run lies on an axis of an option, from 0 to 1: numbers in proportion, by their logarithm where they span
 * more than two decades; words side by side in their order.
 */
export interface AxisScale {
  place: (value: Value | undefined) => number | null;
  ends: [string, string];
  words: string[] | null;
}

export function scaleOf(values: (Value | undefined)[], write: (value: number) => string): AxisScale {
  const known = values.filter((value) => value !== undefined && value !== null);
  const numbers = known.filter((value) => typeof value === "number");
  if (numbers.length === known.length && known.length > 0) {
    const low = Math.min(...numbers);
    const high = Math.max(...numbers);
    const log = low > 0 && high / low > 100;
    const map = (value: number) => (log ? Math.log(value) : value);
    return {
      place: (value) =>
        typeof value !== "number" ? null : high > low ? (map(value) - map(low)) / (map(high) - map(low)) : 0.5,
      ends: [write(low), write(high)],
      words: null,
    };
  }
  const words = [...new Set(values.map((value) => String(value ?? "null")))].sort();
  return {
    place: (value) => (words.length > 1 ? words.indexOf(String(value ?? "null")) / (words.length - 1) : 0.5),
    ends: [words[0] ?? "", words.at(-1) ?? ""],
    words,
  };
}
