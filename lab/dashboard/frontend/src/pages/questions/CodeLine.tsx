import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { excerpt } from "@/pages/learn/excerpt";
import type { Card } from "./card";
import classes from "./CodeLine.module.css";
import { sourceOf } from "./sources";

/** The line of the lab's code that makes it so, found by name; and where it stands. */
export function CodeLine({ file, name, line }: Card["code"]) {
  const { data: source, error } = useQuery({
    queryKey: ["source", file],
    queryFn: () => sourceOf(file),
    staleTime: Infinity,
  });
  const found = source === undefined ? null : lineOf(source, name, line);
  return (
    <div className={classes.line}>
      <Text size="xs" c="dimmed">
        <code>{name}</code> in {file}
        {found && `, line ${found.number}`}
        {error && ": the code could not be loaded, reload the page to see it"}
      </Text>
      {found && (
        <pre tabIndex={0} role="region" aria-label={`Line ${found.number} of ${file}`}>
          {found.text}
        </pre>
      )}
    </div>
  );
}

/** The first line within `name` that holds `piece`; null: there is none. */
export function lineOf(source: string, name: string, piece: string): { number: number; text: string } | null {
  const within = excerpt(source, name);
  const lines = within?.text.split("\n") ?? [];
  const at = lines.findIndex((line) => line.includes(piece));
  return within === null || at < 0 ? null : { number: within.line + at, text: (lines[at] ?? "").trim() };
}
