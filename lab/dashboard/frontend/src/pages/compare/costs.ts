/** What a run had spent at each point of a curve: the x axes on which runs can be compared fairly. */
import { step } from "@/components/run/axes";
import { duration } from "@/components/words";
import type { RunRecord, Track } from "@/live/record";
import { inDigits, lowerBound, type Points } from "@/series/points";

export const COSTS = ["steps", "tokens", "flops", "seconds", "processor_seconds"] as const;
export type Cost = (typeof COSTS)[number];

export const COST_NAMES: Record<Cost, string> = {
  steps: "optimizer steps",
  tokens: "tokens trained on",
  flops: "FLOPs",
  seconds: "training time",
  processor_seconds: "processor time",
};

export function formatOf(cost: Cost): (x: number, more?: number) => string {
  if (cost === "steps") return step;
  if (cost === "tokens" || cost === "flops") return inDigits;
  return (x, more) => (x < 10 && x > 0 ? `${inDigits(x, more)} s` : duration(x, more));
}

/** Steps at which it is known what was spent, and how much. */
interface Knots {
  steps: number[];
  spent: number[];
}

/**
 * The points of a metric over what they had cost. Costs are logged at evaluations (lab/training/spent.py); between two
 * of them they lie on a straight line, as in lab.compare. Points after the last one are left out, but for FLOPs, which
 * go with the tokens. null: the run does not say what it has spent, as those of older versions.
 */
export function along(cost: Cost, metric: string, tracks: RunRecord["tracks"]): Points | null {
  const track = tracks[metric];
  if (!track) return { x: [], y: [] };
  if (cost === "steps") return { x: [...track.steps], y: [...track.values] };
  const knots = knotsOf(cost, tracks);
  if (!knots) return track.steps.length === 0 || !tracks.train_loss ? { x: [], y: [] } : null;
  const points: Points = { x: [], y: [] };
  track.steps.forEach((step, at) => {
    const x = between(knots, step);
    if (x === null) return;
    points.x.push(x);
    points.y.push(track.values[at] ?? null);
  });
  return points;
}

function knotsOf(cost: Exclude<Cost, "steps">, tracks: RunRecord["tracks"]): Knots | null {
  if (cost === "tokens") return rising([tracks.tokens_seen, tracks.spent_tokens]);
  const known = rising([tracks[`spent_${cost}`]]);
  if (cost !== "flops" || !known) return known;
  const tokens = rising([tracks.tokens_seen, tracks.spent_tokens]);
  const [step, flops] = [known.steps.at(-1) ?? 0, known.spent.at(-1) ?? 0];
  const seen = tokens && between(tokens, step);
  return tokens && seen ? { steps: tokens.steps, spent: tokens.spent.map((count) => (count * flops) / seen) } : known;
}

/** From nothing at step 0 upwards; null: nothing is known, or it is no sum (what is spent is not got back). */
function rising(tracks: (Track | undefined)[]): Knots | null {
  const points = tracks.flatMap((track) => track?.steps.map((step, at) => [step, track.values[at]] as const) ?? []);
  const known = points.filter((point): point is [number, number] => typeof point[1] === "number");
  if (known.length === 0) return null;
  const sorted = new Map([[0, 0] as [number, number], ...known].sort((one, other) => one[0] - other[0]));
  const [steps, spent] = [[...sorted.keys()], [...sorted.values()]];
  return spent.every((value, at) => value >= (spent[at - 1] ?? 0)) ? { steps, spent } : null;
}

function between({ steps, spent }: Knots, step: number): number | null {
  const after = lowerBound(steps, step);
  const [next, cost] = [steps[after], spent[after]];
  if (next === undefined || cost === undefined) return null;
  const [last, before] = [steps[after - 1], spent[after - 1]];
  if (next === step || last === undefined || before === undefined) return next === step ? cost : null;
  return before + ((cost - before) * (step - last)) / (next - last);
}
