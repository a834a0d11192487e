/** What a run is called on this page. */
import type { Checkpoint, RunSummary } from "@/api/types";
import { differing, written, type Options, type Value } from "./options";

/** Its name; of a run in a sweep, whose folder is a mere number, the sweep and the number. */
export function titleOf({ name, path }: Pick<RunSummary, "name" | "path">): string {
  return /^\d+$/.test(name) ? path.split("/").slice(-2).join("/") : name;
}

/** A run as it was at a checkpoint; null: at one that is not known yet. */
export function momentTitle(
  run: Pick<RunSummary, "name" | "path">,
  checkpoint: Pick<Checkpoint, "name" | "step"> | null,
): string {
  return checkpoint?.step == null
    ? `${titleOf(run)}, ${checkpoint?.name ?? ""}`
    : `${titleOf(run)} at step ${checkpoint.step.toLocaleString("en")}`;
}

/** Options that a label names at most; a table of differences has room for the rest. */
const MOST = 4;
/** What changes nothing that a model learns; it is named only where nothing else tells two runs apart. */
const ASIDE = /^(save|save_every|keep|if_save_fails|log_every|eval_every|data\.num_workers)$|^sample\./;

/** A run as somebody wants to tell it from others. */
export interface Named {
  run: Pick<RunSummary, "name" | "path">;
  /** Empty as long as they are not known. */
  options: Options;
}

/**
 * What each run is called among the others: the options in which they differ (`lr=1e-3, n_layers=4`), behind the name
 * that somebody gave it. Where options are not known or do not tell two runs apart, their folders do.
 */
export function labelsOf(all: Named[]): string[] {
  const chosen = telling(all.map(({ options }) => options));
  const short = shortened(chosen);
  const given = all.map(({ run }) => (isGiven(run) ? run.name : ""));
  const sameName = all.length > 1 && new Set(given).size === 1;
  const labels = all.map(({ run, options }, at) => {
    const words = Object.keys(options).length === 0 ? "" : wordsOf(options, chosen, short);
    const name = sameName ? "" : (given[at] ?? "");
    return name && words && !name.endsWith(words) ? `${name} (${words})` : name || words || titleOf(run);
  });
  const seen = new Map<string, number>();
  for (const label of labels) seen.set(label, (seen.get(label) ?? 0) + 1);
  return labels.map((label, at) => {
    const { run } = all[at] as Named;
    return (seen.get(label) ?? 0) > 1 && label !== titleOf(run) ? `${label} (${titleOf(run)})` : label;
  });
}

/** A name that somebody gave, not the folder's. */
function isGiven({ name, path }: Named["run"]): boolean {
  return name !== path.split("/").at(-1);
}

function wordsOf(options: Options, names: string[], short: Map<string, string>): string {
  const known = names.filter((name) => options[name] !== undefined);
  return known.map((name) => `${short.get(name) ?? name}=${compact(options[name])}`).join(", ");
}

/**
 * The options that tell runs apart: those that part most of them first, and none that says what others say already. The
 * seed, and what changes nothing that a model learns, come in only where the rest does not do.
 */
export function telling(all: Options[]): string[] {
  const known = all.filter((options) => Object.keys(options).length > 0);
  const names = differing(known);
  const groupsBy = (chosen: string[]) =>
    new Set(known.map((options) => JSON.stringify(chosen.map((name) => options[name] ?? null)))).size;
  const chosen: string[] = [];
  const choose = (candidates: string[]) => {
    while (chosen.length < MOST) {
      const groups = candidates.map((name) => groupsBy([...chosen, name]));
      const most = Math.max(groupsBy(chosen), ...groups);
      if (most === groupsBy(chosen)) return;
      const best = candidates.filter((_, at) => groups[at] === most);
      // Equally telling: what every run has goes first, as a class before the class's own options.
      chosen.push(best.find((name) => known.every((options) => name in options)) ?? (best[0] as string));
    }
  };
  choose(names.filter((name) => !ASIDE.test(name) && name !== "seed"));
  const main = chosen.length;
  choose(names.filter((name) => name === "seed"));
  choose(names.filter((name) => ASIDE.test(name)));
  const short = shortened(chosen);
  const byName = (one: string, other: string) => ((short.get(one) ?? "") < (short.get(other) ?? "") ? -1 : 1);
  return [...chosen.slice(0, main).sort(byName), ...chosen.slice(main)];
}

/** Without their groups where that leaves no doubt: optimizer.lr is lr. */
export function shortened(names: string[]): Map<string, string> {
  const last = (name: string) => name.split(".").at(-1) ?? name;
  // "name" alone says nothing: corpus.name is the corpus.
  const short = (name: string) => (last(name) === "name" ? (name.split(".").at(-2) ?? name) : last(name));
  return new Map(
    names.map((name) => [name, names.filter((other) => short(other) === short(name)).length > 1 ? name : short(name)]),
  );
}

/** A value in as few characters as tell it: 0.0003 as 3e-4. */
export function compact(value: Value | undefined): string {
  if (typeof value !== "number" || value === 0) return written(value);
  const exact = Number(value.toPrecision(12));
  const size = Math.abs(exact);
  return size < 0.01 || size >= 1e6 ? exact.toExponential().replace("e+", "e") : String(exact);
}
