import { Checkbox, Group, Progress, Table, Text, UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconArrowsSort } from "@tabler/icons-react";
import { Link } from "react-router";
import type { RunSummary } from "@/api/types";
import type { FigureName } from "@/components/figures/catalogue";
import { Told } from "@/components/figures/Computed";
import { titleOf } from "@/components/run/naming";
import { AlertSign } from "@/components/run/AlertSign";
import { RunMenu } from "@/components/run/RunMenu";
import { StateBadge } from "@/components/run/StateBadge";
import { Tags } from "@/components/run/Tags";
import { Sparkline } from "@/components/Sparkline";
import { finite } from "@/live/record";
import { ago, count, loss } from "@/components/words";
import classes from "./RunTable.module.css";
import type { Order, SortKey } from "./sorting";

interface Props {
  runs: RunSummary[];
  order: Order;
  onOrder: (order: Order) => void;
  selected: string[];
  onSelect: (id: string, chosen: boolean) => void;
}

const COLUMNS: { title: string; key?: SortKey; number?: boolean; of?: FigureName }[] = [
  { title: "Run", key: "name" },
  { title: "State", key: "state" },
  { title: "Step", key: "step", number: true, of: "runs.step" },
  { title: "Training loss", key: "train", number: true, of: "runs.train_loss" },
  { title: "Best validation", key: "best", number: true, of: "runs.best_val_loss" },
  { title: "Curve" },
  { title: "Tokens/s", key: "speed", number: true, of: "runs.speed" },
  { title: "Started", key: "created" },
];

/** All runs, a line each; on a narrow screen, a card each. */
export function RunTable({ runs, order, onOrder, selected, onSelect }: Props) {
  return (
    <Table className={classes.table} verticalSpacing="xs" highlightOnHover data-testid="run-table">
      <Table.Caption className="visually-hidden">All runs</Table.Caption>
      <Table.Thead>
        <Table.Tr>
          <Table.Th scope="col">
            <span className="visually-hidden">Select to compare</span>
          </Table.Th>
          {COLUMNS.map(({ title, key, number, of }) => (
            <Table.Th
              key={title}
              scope="col"
              ta={number ? "right" : "left"}
              aria-sort={key === order.key ? (order.descending ? "descending" : "ascending") : undefined}
            >
              {key ? <SortButton title={title} sortKey={key} order={order} onOrder={onOrder} of={of} /> : title}
            </Table.Th>
          ))}
          <Table.Th scope="col">
            <span className="visually-hidden">What to do with it</span>
          </Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {runs.map((run) => (
          <RunLine key={run.id} run={run} chosen={selected.includes(run.id)} onSelect={onSelect} />
        ))}
      </Table.Tbody>
    </Table>
  );
}

function RunLine({ run, chosen, onSelect }: { run: RunSummary; chosen: boolean; onSelect: Props["onSelect"] }) {
  return (
    <Table.Tr data-testid="run-row" data-run={run.id} bg={chosen ? "var(--lab-panel)" : undefined}>
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
          {[run.model && `${run.model}`, run.corpus].filter(Boolean).join(" on ")}
        </Text>
        {run.sweep !== null && (
          <Link to={`/compare?sweep=${run.sweep}`} className={classes.sweep}>
            the whole sweep
          </Link>
        )}
        <Tags tags={run.tags} />
      </Table.Td>
      <Table.Td data-title="State">
        <Group gap={4}>
          <StateBadge state={run.state} />
          <AlertSign run={run} />
        </Group>
      </Table.Td>
      <Table.Td data-title="Step" ta="right">
        <Steps run={run} />
      </Table.Td>
      <Table.Td data-title="Training loss" ta="right" ff="monospace">
        {loss(run.train_loss)}
      </Table.Td>
      <Table.Td data-title="Best validation" ta="right" ff="monospace">
        {loss(run.best_val_loss)}
      </Table.Td>
      <Table.Td className={classes.curve}>
        <Sparkline
          values={run.sparkline.map(finite)}
          label={`Training loss of ${titleOf(run)}, now ${loss(run.train_loss)}`}
        />
      </Table.Td>
      <Table.Td data-title="Tokens/s" ta="right" ff="monospace">
        {count(run.tokens_per_second)}
      </Table.Td>
      <Table.Td data-title="Started">
        <Text size="sm" c="dimmed" span title={new Date(run.created * 1000).toLocaleString()}>
          {ago(run.created)}
        </Text>
      </Table.Td>
      <Table.Td className={classes.more}>
        <RunMenu run={run} />
      </Table.Td>
    </Table.Tr>
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
      <Progress value={share} size={3} mt={3} aria-label={`${Math.round(share)}% of the steps`} />
    </div>
  );
}

function SortButton({
  title,
  sortKey,
  order,
  onOrder,
  of,
}: {
  title: string;
  sortKey: SortKey;
  order: Order;
  onOrder: Props["onOrder"];
  of?: FigureName;
}) {
  const active = order.key === sortKey;
  const Icon = !active ? IconArrowsSort : order.descending ? IconArrowDown : IconArrowUp;
  const button = (
    <UnstyledButton
      fz="sm"
      fw={600}
      onClick={() => onOrder({ key: sortKey, descending: active ? !order.descending : sortKey !== "name" })}
    >
      <Group gap={4} wrap="nowrap" display="inline-flex">
        {title}
        <Icon size={14} aria-hidden opacity={active ? 1 : 0.45} />
      </Group>
    </UnstyledButton>
  );
  return of ? <Told of={of}>{button}</Told> : button;
}
