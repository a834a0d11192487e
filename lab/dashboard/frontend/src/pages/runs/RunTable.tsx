import { Group, Table, UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconArrowsSort } from "@tabler/icons-react";
import { memo, useMemo, type KeyboardEvent } from "react";
import type { FigureName } from "@/components/figures/catalogue";
import { Told } from "@/components/figures/Computed";
import { numbersOf, titlesOf } from "./columns";
import { RunLine } from "./RunLine";
import classes from "./RunTable.module.css";
import type { useRows } from "./useRows";

export interface Order {
  key: string;
  descending: boolean;
}

interface Props {
  rows: ReturnType<typeof useRows>;
  columns: string[];
  order: Order;
  onOrder: (order: Order) => void;
  selected: string[];
  onSelect: (id: string, chosen: boolean) => void;
}

/** What some figures are computed from. */
const TOLD: Record<string, FigureName> = {
  step: "runs.step",
  train_loss: "runs.train_loss",
  best_val_loss: "runs.best_val_loss",
  tokens_per_second: "runs.speed",
};
const A_PAGE = 10; // rows

/** The runs that fit, a line each; on a narrow screen, a card each. Only those on the screen are drawn. */
export function RunTable({ rows, columns, order, onOrder, selected, onSelect }: Props) {
  const { setPlace, items, rowAt, measure, before, after, count, focus } = rows;
  const titles = useMemo(() => titlesOf(columns), [columns]); // the same for every row: those that stay are not drawn anew
  const chosen = new Set(selected);
  const flushRight = numbersOf(
    columns,
    items.flatMap(({ index }) => rowAt(index) ?? []),
  ).join();
  const numbers = useMemo(() => new Set(flushRight.split(",")), [flushRight]);
  return (
    <div className={classes.scroll}>
      <Table
        className={classes.table}
        verticalSpacing="xs"
        highlightOnHover
        data-testid="run-table"
        aria-rowcount={count + 1}
      >
        <Table.Caption className="visually-hidden">
          Runs: the arrow keys go from one to the next, Home and End to the first and the last
        </Table.Caption>
        <Head columns={columns} titles={titles} numbers={numbers} order={order} onOrder={onOrder} />
        <Table.Tbody ref={setPlace} onKeyDown={(event) => move(event, count, focus)}>
          <Gap height={before} />
          {items.map(({ index }) => (
            <RunLine
              key={index}
              index={index}
              row={rowAt(index)}
              columns={columns}
              titles={titles}
              numbers={numbers}
              measure={measure}
              chosen={chosen.has(rowAt(index)?.id ?? "")}
              onSelect={onSelect}
            />
          ))}
          <Gap height={after} />
        </Table.Tbody>
      </Table>
    </div>
  );
}

interface HeadProps extends Pick<Props, "columns" | "order" | "onOrder"> {
  titles: Map<string, string>;
  numbers: Set<string>;
}

/** Not drawn anew while the rows are scrolled. */
const Head = memo(function Head({ columns, titles, numbers, order, onOrder }: HeadProps) {
  return (
    <Table.Thead>
      <Table.Tr aria-rowindex={1}>
        <Table.Th scope="col">
          <span className="visually-hidden">Select to compare</span>
        </Table.Th>
        {["name", ...columns].map((name) => (
          <Table.Th
            key={name}
            scope="col"
            ta={numbers.has(name) ? "right" : "left"}
            aria-sort={name === order.key ? (order.descending ? "descending" : "ascending") : undefined}
            title={name === titles.get(name) ? undefined : name}
          >
            {name === "curve" ? (
              "Curve"
            ) : (
              <SortButton
                title={name === "name" ? "Run" : (titles.get(name) ?? name)}
                sortKey={name}
                order={order}
                onOrder={onOrder}
              />
            )}
          </Table.Th>
        ))}
        <Table.Th scope="col">
          <span className="visually-hidden">What to do with it</span>
        </Table.Th>
      </Table.Tr>
    </Table.Thead>
  );
});

/** Room for the rows that are not drawn. */
function Gap({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden className={classes.gap}>
      <td style={{ height, padding: 0, border: 0 }} />
    </tr>
  );
}

function move(event: KeyboardEvent, count: number, focus: (index: number) => void): void {
  const row = (event.target as HTMLElement).closest<HTMLElement>("[data-index]");
  if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
  const at = Number(row.dataset.index);
  const targets: Record<string, number> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    PageDown: at + A_PAGE,
    PageUp: at - A_PAGE,
    Home: 0,
    End: count - 1,
  };
  const target = targets[event.key];
  if (target === undefined) return;
  event.preventDefault();
  focus(Math.max(0, Math.min(count - 1, target)));
}

interface SortProps {
  title: string;
  sortKey: string;
  order: Order;
  onOrder: Props["onOrder"];
}

function SortButton({ title, sortKey, order, onOrder }: SortProps) {
  const active = order.key === sortKey;
  const Icon = !active ? IconArrowsSort : order.descending ? IconArrowDown : IconArrowUp;
  const of = TOLD[sortKey];
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
