/** What a head does, in words and shares. */

/** Attention is shaded by its square root: most weights are small, and by themselves would all look alike. */
export const SHADE = 0.5;

export interface Habits {
  /** Mean shares of attention that go to the token itself, the one before it, and the first of all. */
  self: number;
  previous: number;
  first: number;
  /** How many tokens a position looks at, in effect: exp of the entropy of its weights, in the mean. */
  spread: number;
}

/** From weights (seq, seq). The first position can only look at itself, and is left out where there are others. */
export function habits(weights: number[][]): Habits {
  const rows = weights.length > 1 ? weights.slice(1) : weights;
  const skipped = weights.length - rows.length;
  const mean = (of: (row: number[], place: number) => number) =>
    rows.reduce((sum, row, at) => sum + of(row, at + skipped), 0) / Math.max(1, rows.length);
  return {
    self: mean((row, place) => row[place] ?? 0),
    previous: mean((row, place) => row[place - 1] ?? 0),
    first: mean((row) => row[0] ?? 0),
    spread: mean((row) =>
      Math.exp(-row.reduce((sum, weight) => sum + (weight > 0 ? weight * Math.log(weight) : 0), 0)),
    ),
  };
}

export function tellHabits({ self, previous, first, spread }: Habits): string {
  const share = (value: number) => `${Math.round(value * 100)}%`;
  return `In the mean ${share(self)} of the attention goes to the token itself, ${share(previous)} to the one before, ${share(first)} to the first; a position looks at about ${spread.toFixed(1)} tokens.`;
}
