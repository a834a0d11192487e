/** How a learning rate moves, from its values: what is said of a schedule is what is drawn of it. */
export function rateInWords(values: number[]): string {
  const [first, last] = [values[0] ?? 0, values.at(-1) ?? 0];
  const peak = Math.max(...values, 0);
  const rises = first < 0.99 * peak;
  const falls = last < 0.99 * peak;
  const highest = values.filter((value) => value >= 0.99 * peak).length;
  const level = highest > 0.2 * values.length;
  const parts = [
    rises && "a rise, because the first gradients say little",
    level && (rises || falls) && "the same for a while",
    falls && "a descent, to settle",
  ].filter((part) => part !== false);
  const words = parts.length > 0 ? parts.join("; then ") : "the same all along";
  const told = rises && !falls ? words.replace("for a while", "to the end") : words;
  return `${told.charAt(0).toUpperCase()}${told.slice(1)}.`;
}
