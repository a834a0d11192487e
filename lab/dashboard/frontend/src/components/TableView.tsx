import { Button, Group, Table, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { csv, download, type Cell } from "@/components/csv";

interface Props {
  caption: string;
  columns: string[];
  rows: Cell[][];
  /** Rows to show; the file has all of them. */
  limit?: number;
  /** What the rows are a part of, where they are not all there is. */
  note?: string;
  /** Name of the CSV file, without ending. */
  file?: string;
}

/** Numbers as a table, and as a file for a spreadsheet. */
export function TableView({ caption, columns, rows, limit = 200, note, file = "table" }: Props) {
  const shown = rows.length > limit ? evenly(rows, limit) : rows;
  return (
    <div data-testid="table-view">
      <Group justify="space-between" mb="xs" gap="xs">
        <Text size="sm" c="dimmed" data-testid="table-size">
          {shownOf(rows.length, limit)}
          {note ? ` ${note}` : ""}
        </Text>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDownload size={14} aria-hidden />}
          onClick={() => download(`${file}.csv`, csv(columns, rows))}
        >
          CSV
        </Button>
      </Group>
      <Table.ScrollContainer
        minWidth={Math.min(columns.length * 90, 900)}
        maxHeight={320}
        type="native"
        tabIndex={0}
        role="region"
        aria-label={caption}
      >
        <Table withTableBorder stickyHeader horizontalSpacing="sm" verticalSpacing={4} fz="sm">
          <Table.Caption className="visually-hidden">{caption}</Table.Caption>
          <Table.Thead>
            <Table.Tr>
              {columns.map((column) => (
                <Table.Th key={column} scope="col">
                  {column}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((row, index) => (
              <Table.Tr key={index}>
                {row.map((cell, at) => (
                  <Table.Td
                    key={at}
                    style={at === 0 ? { whiteSpace: "nowrap" } : undefined}
                    ff={typeof cell === "number" ? "monospace" : undefined}
                  >
                    {cell === null ? "–" : typeof cell === "number" ? format(cell) : cell}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </div>
  );
}

/** How much of the table is on the page. */
function shownOf(rows: number, limit: number): string {
  if (rows <= limit) return rows === 1 ? "1 row." : `${rows.toLocaleString("en")} rows.`;
  const each = Number(((rows - 1) / (limit - 1)).toPrecision(2));
  return `${limit} of ${rows.toLocaleString("en")} rows, about every ${ordinal(each)}; the file has all of them.`;
}

function ordinal(count: number): string {
  if (!Number.isInteger(count)) return String(count);
  const ending = count % 100 > 10 && count % 100 < 14 ? "th" : (["th", "st", "nd", "rd"][count % 10] ?? "th");
  return `${count}${ending}`;
}

function format(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(5)));
}

/** `count` of the rows, the first and the last among them. */
function evenly(rows: Cell[][], count: number): Cell[][] {
  const step = (rows.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, index) => rows[Math.round(index * step)] ?? []);
}
