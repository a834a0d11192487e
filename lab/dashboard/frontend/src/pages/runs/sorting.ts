/** Which runs the list shows, and in which order. */
import type { RunSummary } from "@/api/types";
import { titleOf } from "@/components/run/naming";
import { finite } from "@/live/record";

export const SORTS = ["created", "name", "state", "step", "train", "best", "speed"] as const;
export type SortKey = (typeof SORTS)[number];
export interface Order {
  key: SortKey;
  descending: boolean;
}

export const FILTERS = ["all", "alive", "finished", "stopped", "failed"] as const;
export type Filter = (typeof FILTERS)[number];

const STATES: Record<Exclude<Filter, "all">, readonly RunSummary["state"][]> = {
  alive: ["queued", "running", "paused", "stopping"],
  finished: ["finished"],
  stopped: ["stopped"],
  failed: ["failed", "lost"],
};

const VALUES: Record<SortKey, (run: RunSummary) => number | string | null> = {
  created: (run) => run.created,
  name: (run) => titleOf(run).toLowerCase(),
  state: (run) => run.state,
  step: (run) => run.step,
  train: (run) => finite(run.train_loss),
  best: (run) => finite(run.best_val_loss),
  speed: (run) => finite(run.tokens_per_second),
};

/** The runs whose name, tags or state hold all of the words, in order. A run without a value comes last either way. */
export function listed(runs: RunSummary[], words: string, filter: Filter, order: Order): RunSummary[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const kept = runs.filter((run) => {
    if (filter !== "all" && !STATES[filter].includes(run.state)) return false;
    const text = [titleOf(run), run.path, run.state, run.corpus ?? "", ...run.tags].join(" ").toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
  const value = VALUES[order.key];
  return kept.sort((one, other) => {
    const a = value(one);
    const b = value(other);
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    const way = a < b ? -1 : a > b ? 1 : 0;
    return order.descending ? -way : way;
  });
}
