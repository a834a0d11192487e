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
  /** Number of its style: the same on every picture of the page; runs that are one line share it. */
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
