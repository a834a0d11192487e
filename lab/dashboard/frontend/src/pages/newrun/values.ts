/** What is typed into a field, as the value that it means. */
import type { Value } from "@/api/types";
import type { Choices } from "./draft";

/** "null", "true", "1e-3" and "[0.9, 0.95]" are what they are on a command line; the rest is text. */
export function valueOf(text: string): Value {
  const word = text.trim();
  if (word === "null") return null;
  if (word === "true" || word === "false") return word === "true";
  if (/^[+-]?(\d[\d_]*\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word)) return Number(word.replaceAll("_", ""));
  if (/^\[.*\]$/.test(word)) {
    const parts = word
      .slice(1, -1)
      .split(",")
      .map((part) => Number(part.trim()));
    if (parts.length > 0 && parts.every(Number.isFinite)) return parts;
  }
  return text;
}

export function valuesOf(choices: Choices): Record<string, Value> {
  return Object.fromEntries(Object.entries(choices).map(([name, text]) => [name, valueOf(text)]));
}
