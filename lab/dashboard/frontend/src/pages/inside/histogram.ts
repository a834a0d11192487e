/** A histogram as boxes, in shares of the width and the height of its picture. */
export interface Box {
  from: number;
  to: number;
  height: number;
}

/** By density, so that bins of other widths compare; the highest has height 1. */
export function outline(counts: number[], edges: number[], [low, high]: [number, number]): Box[] {
  const wide = high - low || 1;
  const density = counts.map((count, at) => count / ((edges[at + 1] ?? 0) - (edges[at] ?? 0) || 1));
  const most = Math.max(...density, 0) || 1;
  return density.map((height, at) => ({
    from: ((edges[at] ?? 0) - low) / wide,
    to: ((edges[at + 1] ?? 0) - low) / wide,
    height: height / most,
  }));
}
