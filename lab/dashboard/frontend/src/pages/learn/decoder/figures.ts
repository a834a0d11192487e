/** Numbers as they are shown in the diagram: short, and enough to be computed with. */
import type { Figure } from "@/api/types";

/** A number with so many places behind the point. What is no finite number is named. */
export function fixed(value: Figure, places = 4): string {
  if (typeof value !== "number") return value;
  if (value !== 0 && Math.abs(value) < 0.5 * 10 ** -places) return value.toExponential(1).replace("-", "−");
  return value.toFixed(places).replace("-", "−");
}

/** The value of a figure for arithmetic; NaN and infinity as what they are. */
export function amount(value: Figure): number {
  return Number(value);
}

/** A whole number with commas. */
export function whole(value: number): string {
  return value.toLocaleString("en");
}
