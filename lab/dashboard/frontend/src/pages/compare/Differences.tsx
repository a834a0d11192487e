import { Table, Text } from "@mantine/core";
import { Sample } from "@/components/curve";
import { differing, written } from "@/components/run/options";
import type { Compared } from "./results";

/** The options in which the runs differ, a column a run. */
export function Differences({ compared }: { compared: Compared[] }) {
  const names = differing(compared.map((one) => one.options));
  if (names.length === 0) return <Text c="dimmed">The runs have the same options in everything.</Text>;
  return (
    <Table.ScrollContainer
      minWidth={200 + compared.length * 130}
      type="native"
      tabIndex={0}
      role="region"
      aria-label="Differences in the options"
    >
      <Table withTableBorder fz="sm" data-testid="differences">
        <Table.Caption className="visually-hidden">Options in which the runs differ</Table.Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Option</Table.Th>
            {compared.map(({ run, label, style }) => (
              <Table.Th key={run.id} scope="col">
                <Sample style={style} /> {label}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {names.map((name) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" ff="monospace" fw={500}>
                {name}
              </Table.Th>
              {compared.map(({ run, options }) => (
                <Table.Td key={run.id} ff="monospace">
                  {written(options[name])}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
