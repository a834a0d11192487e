/** The arithmetic behind a curve: smoothing, thinning, words. No drawing here. */

export interface Points {
  x: number[];
  /** null: no number here (a NaN, or a value that a log axis cannot show). */
  y: (number | null)[];
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
export function thin({ x, y }: Points, limit: number): Points {
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

/** "Training loss: 188 points, from 10.8 to 5.12; lowest 5.08 at step 180." */
export function inWords(label: string, { x, y }: Points, place: (x: number) => string): string {
  let first: number | null = null;
  let last: number | null = null;
  let lowest = Infinity;
  let where = 0;
  let count = 0;
  y.forEach((value, at) => {
    if (value === null) return;
    count += 1;
    first ??= value;
    last = value;
    if (value < lowest) {
      lowest = value;
      where = x[at] ?? 0;
    }
  });
  if (first === null || last === null) return `${label}: no points yet.`;
  const points = count === 1 ? "1 point" : `${count.toLocaleString("en")} points`;
  return `${label}: ${points}, from ${brief(first)} to ${brief(last)}; lowest ${brief(lowest)} at ${place(where)}.`;
}

/** A number in as few characters as tell it: 0.0003, 12.4k, 1.5e-7. */
export function brief(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e9) return `${trimmed(value / 1e9)}G`;
  if (size >= 1e6) return `${trimmed(value / 1e6)}M`;
  if (size >= 1e4) return `${trimmed(value / 1e3)}k`;
  if (size < 1e-4) return value.toExponential(1).replace(".0e", "e");
  return String(Number(value.toPrecision(4)));
}

function trimmed(value: number): string {
  return String(Number(value.toPrecision(3)));
}
