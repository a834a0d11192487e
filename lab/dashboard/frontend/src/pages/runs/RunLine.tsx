import { Checkbox, Group, Progress, Table, Text } from "@mantine/core";
import { memo, type ReactNode } from "react";
import { Link } from "react-router";
import { useRunSummary } from "@/api/summaries";
import type { RunRow, RunSummary } from "@/api/types";
import { compact, titleOf } from "@/components/run/naming";
import { AlertSign } from "@/components/run/AlertSign";
import { RunMenu } from "@/components/run/RunMenu";
import { StateBadge } from "@/components/run/StateBadge";
import { Tags } from "@/components/run/Tags";
import { Sparkline } from "@/components/Sparkline";
import { ago, bytes, count, duration, loss, people } from "@/components/words";
import { finite } from "@/live/record";
import classes from "./RunTable.module.css";

interface Props {
  index: number;
  /** undefined: its page is on its way. */
  row: RunRow | undefined;
  columns: string[];
  titles: Map<string, string>;
  /** The columns that stand flush right. */
  numbers: Set<string>;
  measure: (element: Element | null) => void;
  chosen: boolean;
  onSelect: (id: string, chosen: boolean) => void;
}

/** A run in the list: as its page had it, and from then on as it is told live. */
export const RunLine = memo(function RunLine({
  index,
  row,
  columns,
  titles,
  numbers,
  measure,
  chosen,
  onSelect,
}: Props) {
  const { data: live } = useRunSummary(row?.id ?? "");
  const place = { "data-index": index, "aria-rowindex": index + 2, ref: measure };
  if (!row) {
    return (
      <Table.Tr {...place} tabIndex={-1} className={classes.coming} aria-busy>
        <Table.Td />
        <Table.Td className={classes.name}>…</Table.Td>
        <Table.Td colSpan={columns.length + 1} />
      </Table.Tr>
    );
  }
  const run = live ?? row;
  return (
    <Table.Tr {...place} data-testid="run-row" data-run={run.id} data-chosen={chosen || undefined}>
      <Table.Td className={classes.choose}>
        <Checkbox
          checked={chosen}
          onChange={(event) => onSelect(run.id, event.currentTarget.checked)}
          aria-label={`Select ${titleOf(run)}`}
        />
      </Table.Td>
      <Table.Td className={classes.name}>
        <Link to={`/runs/${encodeURIComponent(run.id)}`} className={classes.link}>
          {titleOf(run)}
        </Link>
        <Text size="xs" c="dimmed">
          {[run.model, run.corpus].filter(Boolean).join(" on ")}
        </Text>
        {run.sweep !== null && (
          <Link to={`/compare?sweep=${run.sweep}`} className={classes.sweep}>
            the whole sweep
          </Link>
        )}
        <Tags tags={run.tags} />
      </Table.Td>
      {columns.map((name) => {
        const cell = CELLS[name];
        return (
          <Table.Td
            key={name}
            data-title={titles.get(name)}
            className={name === "curve" ? classes.curve : undefined}
            ta={numbers.has(name) ? "right" : "left"}
            ff={numbers.has(name) || !cell ? "monospace" : undefined}
          >
            {cell ? (
              cell.draw(run)
            ) : (
              <Text size="sm" span ff="monospace" className={numbers.has(name) ? classes.number : classes.text}>
                {other(name, row)}
              </Text>
            )}
          </Table.Td>
        );
      })}
      <Table.Td className={classes.more}>
        {/* When another run comes into this row, an open menu must not become that one's. */}
        <RunMenu key={run.id} run={run} />
      </Table.Td>
    </Table.Tr>
  );
});

/** Columns that are drawn in a way of their own, from what the run says live. */
const CELLS: Record<string, { draw: (run: RunSummary) => ReactNode }> = {
  state: {
    draw: (run) => (
      <Group gap={4}>
        <StateBadge state={run.state} />
        <AlertSign run={run} />
      </Group>
    ),
  },
  step: { draw: (run) => <Steps run={run} /> },
  train_loss: { draw: (run) => loss(run.train_loss) },
  best_val_loss: { draw: (run) => loss(run.best_val_loss) },
  val_loss: { draw: (run) => loss(run.val_loss) },
  tokens_per_second: { draw: (run) => count(run.tokens_per_second) },
  parameters: { draw: (run) => (run.parameters === null ? "–" : people(run.parameters)) },
  created: { draw: (run) => <Moment at={run.created} /> },
  updated: { draw: (run) => <Moment at={run.updated} /> },
  curve: {
    draw: (run) => (
      <Sparkline
        values={run.sparkline.map(finite)}
        label={`Training loss of ${titleOf(run)}, now ${loss(run.train_loss)}`}
      />
    ),
  },
};

function other(name: string, row: RunRow): string {
  const value = row.columns[name];
  if (value === undefined || (value === null && !name.includes("."))) return "–";
  if (name === "seconds" && typeof value === "number") return duration(value);
  if (name.endsWith("bytes") && typeof value === "number") return bytes(value);
  if (name === "bits_per_byte" || name === "perplexity") return loss(value as number);
  return compact(value);
}

function Moment({ at }: { at: number }) {
  return (
    <Text size="sm" c="dimmed" span title={new Date(at * 1000).toLocaleString()}>
      {ago(at)}
    </Text>
  );
}

function Steps({ run }: { run: RunSummary }) {
  const share = run.total_steps ? (100 * run.step) / run.total_steps : 0;
  return (
    <div className={classes.steps}>
      <Text size="sm" ff="monospace" span>
        {run.step.toLocaleString("en")}
        {run.total_steps !== null && (
          <Text span c="dimmed" size="sm" ff="monospace">{` / ${run.total_steps.toLocaleString("en")}`}</Text>
        )}
      </Text>
      {run.total_steps === null ? (
        <div className={classes.unknown} />
      ) : (
        <Progress value={share} size={3} mt={3} aria-label={`${Math.round(share)}% of the steps`} />
      )}
    </div>
  );
}
