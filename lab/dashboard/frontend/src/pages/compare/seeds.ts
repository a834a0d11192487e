/** Runs that differ in nothing but the seed, as one line: their mean, and how far they lie from each other. */
import { lowerBound, type Points } from "@/series/points";

export const BANDS = ["range", "deviation"] as const;
export type BandKind = (typeof BANDS)[number];
export const BAND_NAMES: Record<BandKind, string> = { range: "lowest to highest", deviation: "± 1 standard deviation" };

/** Places of a mean line: no screen shows more. */
const MOST_PLACES = 300;

export interface Mean extends Points {
  band: { low: (number | null)[]; high: (number | null)[] };
}

/**
 * The mean of several curves, at the places of their points; between its own points each lies on a straight line. Only
 * where all of them are: a mean of fewer would jump where one ends.
 */
export function together(curves: Points[], kind: BandKind): Mean {
  const shown = curves.filter(({ x }) => x.length > 0);
  const from = Math.max(...shown.map(({ x }) => x[0] ?? 0));
  const to = Math.min(...shown.map(({ x }) => x.at(-1) ?? 0));
  const places = [...new Set(shown.flatMap(({ x }) => x))].filter((x) => x >= from && x <= to).sort((a, b) => a - b);
  const step = Math.max(1, Math.ceil(places.length / MOST_PLACES));
  const x = places.filter((_, at) => at % step === 0 || at === places.length - 1);
  const mean: Mean = { x, y: [], band: { low: [], high: [] } };
  for (const place of x) {
    const values = shown.map((curve) => valueAt(curve, place));
    const known = values.filter((value) => value !== null);
    const whole = known.length === values.length && known.length > 0;
    const centre = whole ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
    const [low, high] = centre === null ? [null, null] : edges(known, centre, kind);
    mean.y.push(centre);
    mean.band.low.push(low);
    mean.band.high.push(high);
  }
  return mean;
}

function edges(values: number[], centre: number, kind: BandKind): [number, number] {
  if (kind === "range" || values.length < 2) return [Math.min(...values), Math.max(...values)];
  // Of the sample: divided by one less than their number.
  const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
  return [centre - Math.sqrt(variance), centre + Math.sqrt(variance)];
}

function valueAt({ x, y }: Points, place: number): number | null {
  const after = lowerBound(x, place);
  const [next, value] = [x[after], y[after]];
  if (next === undefined || value === undefined || value === null) return null;
  if (next === place) return value;
  const [last, before] = [x[after - 1], y[after - 1]];
  if (last === undefined || before === undefined || before === null) return null;
  return before + ((value - before) * (place - last)) / (next - last);
}
