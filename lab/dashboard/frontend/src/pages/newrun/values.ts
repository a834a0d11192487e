/** Turns what was typed into the value that it means. */
import type { ConfigOption, Value } from "@/api/types";
import type { Choices } from "./draft";

/** "null", "true" and "1e-3" are what they are on a command line. */
function plain(text: string): string | number | boolean | null {
  const word = text.trim();
  if (word === "null") return null;
  if (word === "true" || word === "false") return word === "true";
  if (/^[+-]?(\d[\d_]*\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word)) return Number(word.replaceAll("_", ""));
  return text;
}

/** The value of an option, or of a group of files (undefined); a text stays as it was typed, also where it looks like a
 * number. */
export function valueOf(text: string, option: ConfigOption | undefined): Value {
  if (option === undefined) return text;
  if (option.type === "text" || option.type === "choice")
    return option.optional && text.trim() === "null" ? null : text;
  if (option.type === "list" && /^\s*\[.*\]\s*$/.test(text)) return listOf(text);
  return plain(text);
}

/** `[0.9, 0.95]` and `[fables, verdict]`. */
export function listOf(text: string): (number | string)[] {
  return text
    .trim()
    .slice(1, -1)
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => {
      const value = plain(part);
      return typeof value === "number" ? value : part;
    });
}

type Options = ReadonlyMap<string, ConfigOption>;

export function valuesOf(choices: Choices, options: Options): Record<string, Value> {
  return Object.fromEntries(Object.entries(choices).map(([name, text]) => [name, valueOf(text, options.get(name))]));
}

/** Of the options that are swept over, those with values. */
export function sweptOf(
  sweep: Record<string, string[]>,
  options: Options,
): Record<string, (string | number | boolean)[]> {
  const value = (name: string, text: string) => {
    const found = valueOf(text, options.get(name));
    return typeof found === "number" || typeof found === "boolean" ? found : text;
  };
  return Object.fromEntries(
    Object.entries(sweep).flatMap(([name, texts]) =>
      texts.length > 0 ? [[name, texts.map((text) => value(name, text))]] : [],
    ),
  );
}
