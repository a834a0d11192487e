/** Pieces of a Python file, by the names in it. */

export interface Excerpt {
  /** Where it begins, counted from 1. */
  line: number;
  text: string;
}

/** A class, a method ("GPTModel.embed") or a function, without the indentation it stands in; null: there is none. */
export function excerpt(source: string, name: string): Excerpt | null {
  const lines = source.split("\n");
  let [from, to] = [0, lines.length];
  for (const part of name.split(".")) {
    const start = lines.findIndex(
      (line, at) => at >= from && at < to && new RegExp(`^\\s*(class|def) ${part}\\b`).test(line),
    );
    if (start < 0) return null;
    to = endOf(lines, start, to);
    from = start;
  }
  const taken = lines.slice(from, to);
  while (taken.at(-1)?.trim() === "") taken.pop();
  const indent = indentOf(taken[0] ?? "");
  return { line: from + 1, text: taken.map((line) => line.slice(Math.min(indent, indentOf(line)))).join("\n") };
}

/** The line behind a block: the next one that is not indented deeper, nor empty, nor the end of the head itself. */
function endOf(lines: string[], start: number, last: number): number {
  const indent = indentOf(lines[start] ?? "");
  for (let at = start + 1; at < last; at += 1) {
    const line = lines[at] ?? "";
    if (line.trim() !== "" && indentOf(line) <= indent && !line.trim().startsWith(")")) return at;
  }
  return last;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
