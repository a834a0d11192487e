/** The arithmetic behind a curve: smoothing, thinning, words. No drawing here. */

export interface Points {
  x: number[];
  /** null: no number here (a NaN, or a value that a log axis cannot show). */
  y: (number | null)[];
  /** Two places are a column, and hold its least and its greatest value: see `snap`. */
  snapped?: boolean;
}

/**
 * Exponential moving average, `weight` from 0 (as it is) to below 1. Divided by the weight it has gathered so far, as
 * Adam corrects its averages (Kingma and Ba 2015, section 3): without that it would start at zero.
 */
export function smooth(y: (number | null)[], weight: number): (number | null)[] {
  if (weight <= 0) return y;
  let sum = 0;
  let gathered = 0;
  return y.map((value) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * value;
    gathered = weight * gathered + (1 - weight);
    return sum / gathered;
  });
}

/**
 * At most about `limit` points: of every stretch the least and the greatest stay, so that no spike is lost, and in
 * their order. The first and the last point stay, and so does every gap's first.
 */
export function downsample({ x, y }: Points, limit: number): Points {
  if (x.length <= limit) return { x, y };
  const stretches = Math.max(1, Math.floor((limit - 2) / 2));
  const inner = x.length - 2;
  const keep: number[] = [0];
  for (let stretch = 0; stretch < stretches; stretch++) {
    const from = 1 + Math.floor((stretch * inner) / stretches);
    const until = 1 + Math.floor(((stretch + 1) * inner) / stretches);
    let least = -1;
    let greatest = -1;
    for (let at = from; at < until; at++) {
      const value = y[at];
      if (value === null || value === undefined) continue;
      if (least < 0 || value < (y[least] as number)) least = at;
      if (greatest < 0 || value > (y[greatest] as number)) greatest = at;
    }
    if (least < 0) {
      if (from < until) keep.push(from);
    } else if (least === greatest) keep.push(least);
    else keep.push(Math.min(least, greatest), Math.max(least, greatest));
  }
  keep.push(x.length - 1);
  return { x: keep.map((at) => x[at] as number), y: keep.map((at) => y[at] ?? null) };
}

/** The part of a wide line that is on the screen, and how it is cut into columns. */
export interface Columns {
  from: number;
  to: number;
  count: number;
  log: boolean;
}

/** Columns on the x axis: where a place, counted in columns, lies, and where a column ends; the last one takes the rest. */
function laidOut({ from, to, count, log }: Columns) {
  const map = log ? Math.log : (value: number) => value;
  const back = log ? Math.exp : (value: number) => value;
  const [start, width] = [map(from), (map(to) - map(from)) / count];
  const placeOf = (column: number) => back(start + column * width);
  const borderOf = (column: number) => (column === count - 1 ? Infinity : placeOf(column + 1));
  return { placeOf, borderOf };
}

/**
 * The line as a screen of `count` columns can show it: of each column its least and its greatest value, in their order,
 * at two places that are the same for every line. So that ten lines have one x axis of a thousand places, not of ten
 * thousand, and are drawn twenty times a second. A line with fewer points than that stays as it is.
 */
export function snap({ x, y }: Points, { from, to, count, log }: Columns): Points {
  const first = Math.max(0, lowerBound(x, from) - 1);
  const end = Math.min(x.length, lowerBound(x, to) + 2);
  if (end - first <= 2 * count || !(to > from))
    return first === 0 && end === x.length ? { x, y } : { x: x.slice(first, end), y: y.slice(first, end) };
  const { placeOf, borderOf } = laidOut({ from, to, count, log });
  const out: Points = { x: [], y: [], snapped: true };
  let at = first;
  for (let column = 0; column < count; column++) {
    const border = borderOf(column);
    let [least, greatest, points] = [-1, -1, 0];
    for (; at < end && (x[at] as number) < border; at++) {
      points += 1;
      const value = y[at];
      if (value === null || value === undefined) continue;
      if (least < 0 || value < (y[least] as number)) least = at;
      if (greatest < 0 || value > (y[greatest] as number)) greatest = at;
    }
    if (points === 0) continue;
    const [left, right] = [Math.min(least, greatest), Math.max(least, greatest)];
    out.x.push(column === 0 ? from : placeOf(column + 0.25), column === count - 1 ? to : placeOf(column + 0.75));
    out.y.push(y[left] ?? null, y[right] ?? null);
  }
  return out;
}

/**
 * The smooth curve behind a line: of a long one, over the means of `count` columns. Over its least and greatest values
 * it would be a saw.
 */
export function smoothed({ x, y }: Points, weight: number, { from, to, count, log }: Columns): Points {
  const first = lowerBound(x, from);
  const end = lowerBound(x, to + Number.EPSILON * Math.abs(to));
  if (end - first <= 2 * count || !(to > from)) {
    return { x: x.slice(first, end + 1), y: smooth(y.slice(first, end + 1), weight) };
  }
  const { placeOf, borderOf } = laidOut({ from, to, count, log });
  const means: Points = { x: [], y: [] };
  let at = first;
  for (let column = 0; column < count; column++) {
    const border = borderOf(column);
    let [sum, numbers] = [0, 0];
    for (; at < end && (x[at] as number) < border; at++) {
      const value = y[at];
      if (value === null || value === undefined) continue;
      sum += value;
      numbers += 1;
    }
    if (numbers === 0) continue;
    means.x.push(placeOf(column + 0.5));
    means.y.push(sum / numbers);
  }
  return { x: means.x, y: smooth(means.y, weight) };
}

/** Where `value` would stand in the rising numbers `x`. */
export function lowerBound(x: number[], value: number): number {
  let [low, high] = [0, x.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** "Training loss: 188 points, from 10.8 to 5.12; lowest 5.08 at step 180." */
export function inWords(label: string, { x, y }: Points, place: (x: number) => string, all = x.length): string {
  let first: number | null = null;
  let last: number | null = null;
  let lowest = Infinity;
  let where = 0;
  // A plain loop: of long live lines this is done many times a second.
  for (let at = 0; at < y.length; at++) {
    const value = y[at];
    if (value === null || value === undefined) continue;
    first ??= value;
    last = value;
    if (value < lowest) {
      lowest = value;
      where = x[at] ?? 0;
    }
  }
  if (first === null || last === null) return `${label}: no points yet.`;
  if (all === 1) return `${label}: ${brief(first)} at ${place(where)}, its only point.`;
  return `${label}: ${all.toLocaleString("en")} points, from ${brief(first)} to ${brief(last)}; lowest ${brief(lowest)} at ${place(where)}.`;
}

/** A number in as few characters as tell it: 0.0003, 1,234, 12.4k, 1.5e-7. */
export function brief(value: number): string {
  return inDigits(value);
}

/** As `brief`, with so many digits `more`. */
export function inDigits(value: number, more = 0): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e12 || size < 1e-4) return power(value, 1 + more);
  if (size >= 1e9) return `${trimmed(value / 1e9, 3 + more)}G`;
  if (size >= 1e6) return `${trimmed(value / 1e6, 3 + more)}M`;
  if (size >= 1e4) return `${trimmed(value / 1e3, 3 + more)}k`;
  return trimmed(value, 4 + more);
}

function power(value: number, digits: number): string {
  return value
    .toExponential(digits)
    .replace(/\.?0+e/, "e")
    .replace("e+", "e");
}

function trimmed(value: number, digits: number): string {
  return Number(value.toPrecision(digits)).toLocaleString("en", { maximumFractionDigits: 12 });
}

const MOST_MORE = 8;

/** Numbers side by side, as on an axis: in as few digits as tell one from the other. */
export function apart(values: number[], format: (value: number, more?: number) => string = inDigits): string[] {
  const different = new Set(values).size;
  for (let more = 0; ; more++) {
    const labels = values.map((value) => format(value, more));
    if (more === MOST_MORE || new Set(labels).size >= different) return labels;
  }
}
