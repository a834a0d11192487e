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

/** 0.1234 as "12.3%"; small ones keep two digits. */
export function percent(share: number | string): string {
  if (typeof share !== "number") return share;
  const value = share * 100;
  if (value === 0 || value >= 0.1) return `${value >= 99.95 ? "100" : value.toFixed(1)}%`;
  return value >= 0.001 ? `${value.toPrecision(1)}%` : "< 0.001%";
}
