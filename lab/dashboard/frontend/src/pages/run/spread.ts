/** Histograms of several moments on one axis, for a picture with a column for each. */
import type { Moment } from "@/api/types";

export interface Column {
  step: number;
  /** Of each bin, from the lowest; they add up to 1, with what is exactly zero left out. */
  shares: number[];
  /** The share of numbers that are exactly zero. */
  zeros: number;
}

export interface Spread {
  /** One more than there are bins. */
  edges: number[];
  columns: Column[];
}

/** The weights of a part: bins of equal width, as wide as the widest moment needs. */
export function weightSpread(moments: Moment[], part: string): Spread {
  const found = moments.flatMap(({ step, parts }) => (parts[part] ? [{ step, ...parts[part].weights }] : []));
  const edge = Math.max(...found.map((one) => one.edge), 0) || 1;
  const bins = found[0]?.counts.length ?? 0;
  return {
    edges: Array.from({ length: bins + 1 }, (_, at) => edge * ((2 * at) / bins - 1)),
    columns: found.map((one) => ({
      step: one.step,
      shares: portions(rebinned(one.counts, one.edge, edge)),
      zeros: 0,
    })),
  };
}

/** The gradients of a part: a bin for each power of two that any moment needs. */
export function gradientSpread(moments: Moment[], part: string, lowestExponent: number): Spread {
  const found = moments.flatMap(({ step, parts }) => {
    const gradients = parts[part]?.gradients;
    return gradients ? [{ step, ...gradients }] : [];
  });
  const used = found.flatMap(({ counts }) => counts.flatMap((count, at) => (count > 0 ? [at] : [])));
  const [first, last] = [Math.min(...used), Math.max(...used)];
  if (used.length === 0) return { edges: [], columns: [] };
  return {
    edges: Array.from({ length: last - first + 2 }, (_, at) => 2 ** (lowestExponent + first + at)),
    columns: found.map(({ step, zeros, counts }) => ({
      step,
      shares: portions(counts.slice(first, last + 1)),
      zeros: zeros / (zeros + counts.reduce((sum, count) => sum + count, 0) || 1),
    })),
  };
}

/** Counts over [-from, from] as counts over [-to, to], as if each bin were filled evenly. `to` is not the smaller. */
export function rebinned(counts: number[], from: number, to: number): number[] {
  const bins = counts.length;
  const result = new Array<number>(bins).fill(0);
  if (from === 0) {
    // All of them are zero: they lie on the border between the two bins in the middle.
    const all = counts.reduce((sum, count) => sum + count, 0);
    result[bins / 2 - 1] = all / 2;
    result[bins / 2] = all / 2;
    return result;
  }
  counts.forEach((count, at) => {
    const low = (from / to) * (at - bins / 2) + bins / 2;
    const high = low + from / to;
    for (let bin = Math.floor(low); bin < Math.min(bins, high); bin++) {
      const inside = Math.min(high, bin + 1) - Math.max(low, bin);
      if (inside > 0) result[bin] = (result[bin] ?? 0) + (count * inside) / (high - low);
    }
  });
  return result;
}

/** Where half of a column lies below, on a straight line within its bin. */
export function median({ shares }: Column, edges: number[]): number {
  let below = 0;
  for (const [at, share] of shares.entries()) {
    if (below + share >= 0.5 && share > 0) {
      const [low = 0, high = 0] = edges.slice(at, at + 2);
      return low + ((0.5 - below) / share) * (high - low);
    }
    below += share;
  }
  return edges.at(-1) ?? 0;
}

function portions(counts: number[]): number[] {
  const all = counts.reduce((sum, count) => sum + count, 0) || 1;
  return counts.map((count) => count / all);
}
