/** Tokens as something one can see: a space or a line end alone would be nothing. */

/** A token as a short word for a label: `·fox`, `⏎`. */
export function word(text: string, longest = 12): string {
  const seen = text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replaceAll(" ", "·");
  return seen.length > longest ? `${seen.slice(0, longest - 1)}…` : seen;
}

/** "68656c" as "68 65 6c". */
export function byteWords(hex: string): string {
  return (hex.match(/../g) ?? []).join(" ");
}

/** The ends of the shades for probabilities: most are small, and by themselves would all look alike. */
export const LOG_SHARES: [number, number] = [-4, 0];

/** A probability on that scale: its logarithm to base 10. */
export function logShare(share: number | string | null): number | null {
  return typeof share === "number" ? Math.max(LOG_SHARES[0], Math.log10(Math.max(share, 1e-9))) : null;
}

/** 0.1234 as "12.3%"; small ones keep two digits. */
export function percent(share: number | string): string {
  if (typeof share !== "number") return share;
  const value = share * 100;
  if (value === 0 || value >= 0.1) return `${value >= 99.95 ? "100" : value.toFixed(1)}%`;
  return value >= 0.001 ? `${value.toPrecision(1)}%` : "< 0.001%";
}
