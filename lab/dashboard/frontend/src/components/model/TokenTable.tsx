import { Table } from "@mantine/core";
import type { Token } from "@/api/models";
import { byteWords } from "./visible";

interface Props {
  tokens: Token[];
  selected: number | null;
}

/** Tokens one below the other: place, id, text, bytes. */
export function TokenTable({ tokens, selected }: Props) {
  return (
    <Table.ScrollContainer
      minWidth={320}
      maxHeight={420}
      type="native"
      tabIndex={0}
      role="region"
      aria-label="Tokens with their ids and bytes"
    >
      <Table withTableBorder stickyHeader horizontalSpacing="sm" verticalSpacing={4} fz="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Place</Table.Th>
            <Table.Th scope="col">Token</Table.Th>
            <Table.Th scope="col">Id</Table.Th>
            <Table.Th scope="col">Bytes</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody ff="monospace">
          {tokens.map(({ token_id, text, bytes }, at) => (
            <Table.Tr
              key={at}
              bg={at === selected ? "var(--lab-active)" : undefined}
              ref={at === selected ? scrollTo : undefined}
            >
              <Table.Td c="dimmed">{at}</Table.Td>
              <Table.Td style={{ whiteSpace: "pre-wrap" }}>“{text.replaceAll("\n", "⏎")}”</Table.Td>
              <Table.Td>{token_id}</Table.Td>
              <Table.Td>{byteWords(bytes)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** Brings a row into the table's own window, and leaves the page where it is. */
function scrollTo(row: HTMLTableRowElement | null) {
  const box = row?.closest<HTMLElement>("[role=region]");
  if (!row || !box) return;
  if (row.offsetTop < box.scrollTop + 30 || row.offsetTop + row.offsetHeight > box.scrollTop + box.clientHeight) {
    box.scrollTop = row.offsetTop - box.clientHeight / 2;
  }
}
