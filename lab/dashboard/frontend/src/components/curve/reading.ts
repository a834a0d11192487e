/** What the legend says of each line: what the dots on the chart show, and without a cursor the line's newest value. */
import type uPlot from "uplot";
import { brief, lowerBound, type Points } from "@/series/points";
import type { Drawn } from "./drawn";

/** The newest value of a line as it was logged, whatever is drawn of it. */
export function newest({ y }: Points): string {
  const value = y.findLast((one) => one !== null);
  return value === undefined || value === null ? "" : brief(value);
}

/**
 * The value at the dot. uPlot puts it on the line's own nearest point, which may lie beside the cursor: then its place is
 * told, too. Of a line whose columns hold more points than a screen can show, the column's least and greatest value.
 */
export function atDot(
  { line, points }: Drawn,
  at: { index: number | null | undefined; x: number; cursor: number },
  formatX: (x: number) => string,
): string {
  if (at.index === null || at.index === undefined) return "–";
  const place = lowerBound(points.x, at.x);
  const value = points.y[place];
  if (points.x[place] !== at.x || value === null || value === undefined) return "–";
  if (points.snapped) {
    const other = points.y[place % 2 ? place - 1 : place + 1] ?? value;
    const [low, high] = value < other ? [value, other] : [other, value];
    return brief(low) === brief(high) ? brief(low) : `${brief(low)} to ${brief(high)}`;
  }
  return at.x === at.cursor || !line.sparse ? brief(value) : `${brief(value)} at ${formatX(at.x)}`;
}

/** Writes the legend's values where they stand on the page: many times a second, without React. */
export function writeValues(
  u: uPlot,
  drawn: Drawn[],
  formatX: (x: number) => string,
  values: Map<string, HTMLSpanElement>,
  place: HTMLSpanElement | null,
): void {
  const cursor = u.cursor.idx;
  const x = cursor === null || cursor === undefined ? undefined : u.data[0][cursor];
  if (place) place.textContent = x === undefined ? "newest" : `at ${formatX(x)}`;
  let series = 1;
  for (const one of drawn) {
    const cell = values.get(one.line.id);
    const index = u.cursor.idxs?.[series];
    if (cell) {
      cell.textContent =
        x === undefined
          ? newest(one.line)
          : atDot(
              one,
              { index, x: index === null || index === undefined ? x : (u.data[0][index] as number), cursor: x },
              formatX,
            );
    }
    series += 1 + (one.trend ? 1 : 0) + one.edges.length;
  }
}
