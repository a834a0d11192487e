/** What of the lines is drawn, and the same in words and numbers. */
import uPlot from "uplot";
import type { Numbers } from "@/components/Figure";
import { brief, inWords, lowerBound, smoothed, snap, type Points } from "@/series/points";
import type { Level, Mark, Series } from "./types";

/** A line as it is drawn. */
export interface Drawn {
  line: Series;
  points: Points;
  /** The smooth curve over it; null: none is wanted. */
  trend: Points | null;
  /** The upper and the lower edge of its band; empty: it has none. */
  edges: Points[];
}

/** Columns of all lines together: few enough for many updates a second. */
const DRAWN_COLUMNS = 4000;
/** No screen shows more of one line; and with less, its shape would suffer. */
const TREND_COLUMNS = 300;
const [FEWEST_COLUMNS, MOST_COLUMNS] = [150, 1500];

/** What is drawn of each line: the part in view, without what a log axis cannot show, as finely as a screen can. */
export function showable(
  series: Series[],
  view: { min: number; max: number } | null,
  logX: boolean,
  logY: boolean,
  smoothing: number,
): Drawn[] {
  const starts = series
    .map(({ x }) => (logX ? x.find((value) => value > 0) : x[0]))
    .filter((value) => value !== undefined);
  const ends = series.map(({ x }) => x.at(-1)).filter((value) => value !== undefined);
  const columns = {
    from: view?.min ?? Math.min(...starts),
    to: view?.max ?? Math.max(...ends),
    count: Math.min(MOST_COLUMNS, Math.max(FEWEST_COLUMNS, Math.floor(DRAWN_COLUMNS / series.length))),
    log: logX,
  };
  return series.map((line) => {
    const from = logX ? lowerBound(line.x, Number.MIN_VALUE) : 0;
    const cut = (y: (number | null)[]): Points =>
      from > 0 ? { x: line.x.slice(from), y: y.slice(from) } : { x: line.x, y };
    const positive = cut(line.y);
    return {
      line,
      edges: line.band ? [line.band.high, line.band.low].map((edge) => above(logY, snap(cut(edge), columns))) : [],
      points: above(logY, snap(positive, columns)),
      trend:
        smoothing > 0 && !line.sparse
          ? above(logY, smoothed(positive, smoothing, { ...columns, count: TREND_COLUMNS }))
          : null,
    };
  });
}

/** Without what a logarithmic axis cannot show. */
function above(log: boolean, points: Points): Points {
  return log ? { ...points, y: points.y.map((value) => (value !== null && value > 0 ? value : null)) } : points;
}

/** uPlot wants one x for all lines. */
export function aligned(drawn: Drawn[]): uPlot.AlignedData {
  const tables = drawn
    .flatMap(({ points, trend, edges }) => [points, ...(trend ? [trend] : []), ...edges])
    .map(({ x, y }) => [x, y] as uPlot.AlignedData);
  if (tables.length === 0) return [[]];
  return tables.length === 1 ? (tables[0] as uPlot.AlignedData) : uPlot.join(tables);
}

/** Marks that are told one by one; of more, the rest is counted. */
const TOLD_MARKS = 3;

/** The chart in words. Of each line as it was logged, whatever is drawn of it. */
export function summary(series: Series[], levels: Level[], marks: Mark[], formatX: (x: number) => string): string {
  const words = series.map((line) => inWords(line.label, line, formatX, line.total));
  const told = marks.slice(0, TOLD_MARKS).map(({ label }) => `${label}.`);
  if (marks.length > TOLD_MARKS) told.push(`${marks.length - TOLD_MARKS} more marks.`);
  const held = levels.map(({ label, y }) => `${label}: ${brief(y)}.`);
  return [...words, ...held, ...told].join(" ") || "Nothing to show yet.";
}

export function table(series: Series[], xLabel: string): Numbers {
  const [first] = series;
  if (!first) return { columns: [xLabel], rows: [] };
  const columns = series.flatMap(({ label, x, y, band }) => [
    { label, x, y },
    ...(band
      ? [
          { label: `${label}, from`, x, y: band.low },
          { label: `${label}, to`, x, y: band.high },
        ]
      : []),
  ]);
  const joined = uPlot.join(columns.map(({ x, y }) => [x, y] as uPlot.AlignedData));
  const rows = Array.from(joined[0], (_, at) =>
    joined.map((column) => (column as (number | null | undefined)[])[at] ?? null),
  );
  return { columns: [xLabel, ...columns.map(({ label }) => label)], rows, note: thinning(series) };
}

/** What was left out of the lines before they came here; undefined: nothing. */
function thinning(series: Series[]): string | undefined {
  const thinned = series.filter(({ x, total }) => (total ?? 0) > x.length);
  const each = thinned.map(
    ({ label, x, total = 0 }) => `${label}: ${x.length.toLocaleString("en")} of ${total.toLocaleString("en")} points`,
  );
  return thinned.length > 0
    ? `${each.join("; ")}, of every stretch the lowest and the highest. The run's events.jsonl has all of them.`
    : undefined;
}
