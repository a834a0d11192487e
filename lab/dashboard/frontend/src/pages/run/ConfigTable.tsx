import { Stack, Table, TextInput } from "@mantine/core";
import { useState } from "react";
import { CopyLine } from "@/components/CopyLine";
import { flat, written } from "@/components/run/options";

interface Props {
  config: unknown;
  /** What to type to train the same again; null: not known. */
  command: string | null;
}

/** Every option of the run as it was resolved. */
export function ConfigTable({ config, command }: Props) {
  const [words, setWords] = useState("");
  const rows = Object.entries(flat(config)).filter(([name, value]) =>
    `${name}=${String(value)}`.toLowerCase().includes(words.toLowerCase()),
  );
  return (
    <Stack gap="sm">
      {command !== null && <CopyLine text={command} label="command that trains the same" />}
      <TextInput
        aria-label="Find an option"
        placeholder="Find an option"
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
        maw={320}
      />
      <Table fz="sm" verticalSpacing={4} maw={860} data-testid="config-table" layout="fixed">
        <Table.Caption className="visually-hidden">Options of the run</Table.Caption>
        <Table.Tbody>
          {rows.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" ff="monospace" fw={500} w="45%" style={{ overflowWrap: "anywhere" }}>
                {name}
              </Table.Th>
              <Table.Td ff="monospace" style={{ overflowWrap: "anywhere" }}>
                {written(value)}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  );
}
