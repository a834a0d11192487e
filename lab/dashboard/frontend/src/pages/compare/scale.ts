/** Where values lie on an axis: numbers in proportion or by their logarithm, words side by side. */
import { scaleLinear, scaleLog } from "d3-scale";
import { compact } from "@/components/run/naming";
import { written, type Value } from "@/components/run/options";
import { apart, brief } from "@/series/points";

export interface Mark {
  /** From 0 to 1, as all places. */
  place: number;
  label: string;
}

export interface AxisScale {
  kind: "log" | "linear" | "words";
  /** null: not on this axis. */
  place: (value: Value | undefined) => number | null;
  marks: Mark[];
}

/** From the least to the greatest, a logarithmic axis shows what a linear one would press together. */
const WIDE = 20;
/** Below this, fractions are rates: learning rates, weight decays. What people try of them are factors. */
const RATE = 0.1;
/** On a logarithmic axis, zero stands apart, left of this. */
const APART = 0.15;
/** Marks closer than this would write over each other. */
const ROOM = 0.09;
const MOST_WORDS = 12;

/** Is a logarithmic axis the one for these numbers? From their sizes and how they are spaced, whatever they are called. */
export function isLogarithmic(numbers: number[]): boolean {
  const values = [...new Set(numbers)].sort((one, other) => one - other);
  const [low, high] = [values[0], values.at(-1)];
  if (low === undefined || high === undefined || low <= 0 || low === high) return false;
  if (high / low >= WIDE || high <= RATE) return true;
  if (values.length < 3) return false;
  const steps = values.slice(1).map((value, at) => [value - (values[at] ?? 0), value / (values[at] ?? 1)]);
  const spread = (which: 0 | 1) => {
    const sizes = steps.map((step) => step[which] ?? 1);
    return Math.max(...sizes) / Math.min(...sizes);
  };
  return spread(1) < spread(0); // 2, 4, 8 are evenly spaced by factor, 2, 4, 6 by difference
}

/** The axis of an option: its marks are the values that were chosen. */
export function optionScale(values: (Value | undefined)[]): AxisScale {
  const known = values.filter((value) => value !== undefined);
  const numbers = known.filter((value) => typeof value === "number");
  if (known.length === 0 || numbers.length < known.length) return wordScale(values);
  const map = mapOf(numbers, isLogarithmic(numbers.filter((value) => value !== 0)));
  const distinct = [...new Set(numbers)].sort((one, other) => one - other);
  const marks = distinct.map((value) => ({ place: map.place(value) ?? 0, label: compact(value) }));
  return { ...map, marks: withRoom(marks) };
}

/** The axis of a measured quantity: its marks are round numbers. */
export function figureScale(values: (number | null)[], log = false): AxisScale {
  const numbers = values.filter((value) => value !== null);
  const map = mapOf(numbers, log && numbers.every((value) => value > 0));
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  if (!(high > low)) return { ...map, marks: numbers.length > 0 ? [{ place: 0.5, label: brief(low) }] : [] };
  const all = map.kind === "log" && high / low >= 10 ? scaleLog([low, high], [0, 1]).ticks(5) : null;
  const ticks = all?.filter((tick) => /^[125]/.test(tick.toExponential())) ?? scaleLinear([low, high], [0, 1]).ticks(5);
  const labels = apart(ticks);
  return {
    ...map,
    marks: withRoom(ticks.map((tick, at) => ({ place: map.place(tick) ?? 0, label: labels[at] ?? "" }))),
  };
}

function mapOf(numbers: number[], log: boolean): Pick<AxisScale, "kind" | "place"> {
  const shown = log ? numbers.filter((value) => value > 0) : numbers;
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const zero = log && shown.length < numbers.length ? APART : 0;
  const size = (value: number) => (log ? Math.log(value) : value);
  return {
    kind: log ? "log" : "linear",
    place: (value) => {
      if (typeof value !== "number") return null;
      if (log && value <= 0) return value === 0 && zero > 0 ? 0 : null;
      if (!(high > low)) return zero > 0 ? 1 : 0.5;
      return zero + ((1 - zero) * (size(value) - size(low))) / (size(high) - size(low));
    },
  };
}

function wordScale(values: (Value | undefined)[]): AxisScale {
  const numeric = (word: string) => (word !== "" && Number.isFinite(Number(word)) ? Number(word) : Infinity);
  const words = [...new Set(values.map(written))].sort((one, other) => {
    const difference = numeric(one) - numeric(other);
    return Number.isNaN(difference) || difference === 0 ? (one < other ? -1 : 1) : difference;
  });
  const place = (at: number) => (words.length > 1 ? at / (words.length - 1) : 0.5);
  const step = Math.ceil(words.length / MOST_WORDS);
  return {
    kind: "words",
    place: (value) => place(words.indexOf(written(value))),
    marks: words.map((label, at) => ({ place: place(at), label })).filter((_, at) => at % step === 0),
  };
}

/** Without marks that would write over the one before. */
function withRoom(marks: Mark[]): Mark[] {
  const kept: Mark[] = [];
  for (const mark of marks) if (kept.length === 0 || mark.place - (kept.at(-1)?.place ?? 0) >= ROOM) kept.push(mark);
  return kept;
}
