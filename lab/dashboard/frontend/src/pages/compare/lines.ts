/** Which runs are one line of the chart, and what the lines are called. */
import type { RunSummary } from "@/api/types";
import { labelsOf } from "@/components/run/naming";
import type { Options } from "@/components/run/options";
import type { Compared } from "./results";

/** A run, or several that differ in nothing but the seed. */
export interface Line {
  id: string;
  label: string;
  style: number;
  runs: string[];
}

export interface Found {
  run: RunSummary;
  options: Options;
}

/** Runs as the page shows them, and as lines: `sides` says which stand together; null: each by itself. */
export function linesOf(found: Found[], sides: string[][] | null): { compared: Compared[]; lines: Line[] } {
  const byId = new Map(found.map((one) => [one.run.id, one]));
  const known = (sides ?? []).map((runs) => runs.filter((id) => byId.has(id))).filter((runs) => runs.length > 0);
  const placed = new Set(known.flat());
  const groups = [...known, ...found.filter(({ run }) => !placed.has(run.id)).map(({ run }) => [run.id])];
  const heads = groups.map((runs): Found => {
    const { run, options } = byId.get(runs[0] ?? "") as Found;
    if (runs.length === 1) return { run, options };
    // A sweep names its runs by what it varies.
    const name = run.name.replace(/[:,]?\s*\bseed=\d+$/, "");
    return { run: { ...run, name: name || run.name }, options: without(options, "seed") };
  });
  const labels = labelsOf(heads);
  const lines = groups.map((runs, style): Line => {
    const label = runs.length > 1 ? `${labels[style]}, ${runs.length} seeds` : (labels[style] ?? "");
    return { id: runs[0] ?? "", label, style, runs };
  });
  const names = labelsOf(found);
  const compared = found.map(({ run, options }, at): Compared => {
    const style = groups.findIndex((runs) => runs.includes(run.id));
    return { run, options, style, label: names[at] ?? "" };
  });
  return { compared, lines };
}

function without(options: Options, name: string): Options {
  return Object.fromEntries(Object.entries(options).filter(([key]) => key !== name));
}
