import { ActionIcon, Button, Group, Text, Title } from "@mantine/core";
import { IconChartLine, IconTable } from "@tabler/icons-react";
import { useId, useState, type ReactNode } from "react";
import type { Cell } from "@/components/csv";
import { TableView } from "@/components/TableView";
import classes from "./Figure.module.css";

export interface Numbers {
  columns: string[];
  rows: Cell[][];
  /** What the rows are a part of, where they are not all there is. */
  note?: string;
}

interface Props {
  title: string;
  /** One sentence on what is to be seen here, for somebody who sees it for the first time. */
  hint?: ReactNode;
  /** What the picture shows, in words: under it, and for whoever cannot see it. */
  summary: string;
  /** The same as numbers; asked for when somebody wants to see them. */
  numbers: () => Numbers;
  controls?: ReactNode;
  /** One of several side by side: little room for words. */
  small?: boolean;
  /** The drawing; `described` is the id of the summary, for its aria-describedby. */
  children: (described: string) => ReactNode;
}

/** Characters of a summary that are no wall of text yet. */
const LONG = 420;

/** A drawing with its title, its summary in words, and a button that shows it as a table instead. */
export function Figure({ title, hint, summary, numbers, controls, small = false, children }: Props) {
  const [asTable, setAsTable] = useState(false);
  const described = useId();
  const Icon = asTable ? IconChartLine : IconTable;
  const words = asTable ? "View as picture" : "View as table";
  const { columns, rows, note } = asTable ? numbers() : { columns: [], rows: [] };
  return (
    <figure className={classes.figure} aria-label={title}>
      <div className={classes.head}>
        <Title order={3} className={classes.title}>
          {title}
        </Title>
        {hint && (
          <Text size="sm" c="dimmed" className={classes.hint}>
            {hint}
          </Text>
        )}
        <Group gap="xs" className={classes.controls}>
          {controls}
          {small ? (
            <ActionIcon
              variant="default"
              size="sm"
              title={words}
              aria-label={`${title}: ${words}`}
              onClick={() => setAsTable(!asTable)}
            >
              <Icon size={14} aria-hidden />
            </ActionIcon>
          ) : (
            <Button
              size="compact-sm"
              variant="default"
              leftSection={<Icon size={14} aria-hidden />}
              onClick={() => setAsTable(!asTable)}
            >
              {words}
            </Button>
          )}
        </Group>
      </div>
      {asTable ? (
        <TableView
          caption={title}
          columns={columns}
          rows={rows}
          note={note}
          file={title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}
        />
      ) : (
        children(described)
      )}
      <figcaption>
        {summary.length <= LONG ? (
          <Text id={described} size="xs" c="dimmed" mt={6} data-testid="in-words">
            {summary}
          </Text>
        ) : (
          // Of many lines, or with many alerts: there for whoever wants it.
          <details className={classes.words}>
            <summary>In words</summary>
            <Text id={described} size="xs" c="dimmed" data-testid="in-words">
              {summary}
            </Text>
          </details>
        )}
      </figcaption>
    </figure>
  );
}
