/** The columns of the list: those that it has by itself, and any option or figure that somebody chooses. */
import type { RunRow } from "@/api/types";
import { shortened } from "@/components/run/naming";

/** What the list shows until somebody has chosen. */
export const USUAL = ["state", "step", "train_loss", "best_val_loss", "curve", "tokens_per_second", "created"];

/** What is a number whatever the rows say. */
const NUMBERS = ["step", "train_loss", "best_val_loss", "val_loss", "tokens_per_second", "parameters"];

/** The columns that stand flush right: those whose values are numbers, also where some are missing. */
export function numbersOf(columns: string[], rows: Pick<RunRow, "columns">[]): string[] {
  return columns.filter(
    (name) => NUMBERS.includes(name) || rows.some(({ columns: values }) => typeof values[name] === "number"),
  );
}

const TITLES: Record<string, string> = {
  state: "State",
  step: "Step",
  train_loss: "Training loss",
  best_val_loss: "Best validation",
  val_loss: "Last validation",
  curve: "Curve",
  tokens_per_second: "Tokens/s",
  created: "Started",
  updated: "Last word",
  name: "Name",
  parameters: "Parameters",
  checkpoints: "Checkpoints",
  model: "Model",
  corpus: "Corpus",
  path: "Folder",
  total_steps: "Steps planned",
  bits_per_byte: "Bits per byte",
  perplexity: "Perplexity",
  tokens_seen: "Tokens seen",
  seconds: "Duration",
  best_step: "Best at step",
};

/** The words above the columns: of an option the last part of its name, where that is clear. */
export function titlesOf(columns: string[]): Map<string, string> {
  const short = shortened(columns.filter((name) => !(name in TITLES)));
  return new Map(columns.map((name) => [name, TITLES[name] ?? short.get(name) ?? name]));
}

export function titleOfColumn(name: string): string {
  return TITLES[name] ?? name;
}

/** What a page is asked for beside what every run says of itself. */
export function askedFor(columns: string[]): string[] {
  return columns.filter((name) => !USUAL.includes(name));
}
