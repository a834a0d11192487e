import { Alert, Loader, Table, Text, Title } from "@mantine/core";
import { IconScale } from "@tabler/icons-react";
import { useComparison } from "@/api/runs";
import type { Contrast } from "@/api/types";
import { finite } from "@/live/record";
import type { Compared } from "./outcomes";

const ALIVE = ["queued", "running", "paused", "stopping"];

/** Which side is better, in one sentence, and the figures that it rests on. */
export function Verdict({ compared }: { compared: Compared[] }) {
  const alive = compared.some(({ run }) => ALIVE.includes(run.state));
  const { data, error, isPending } = useComparison(
    compared.map(({ run }) => run.id),
    alive,
  );
  return (
    <section data-testid="verdict">
      <Title order={2} mb="sm">
        The verdict
      </Title>
      {isPending && <Loader aria-label="Comparing the runs" size="sm" />}
      {error && <Text c="dimmed">{sentence(error.message)}</Text>}
      {data?.contrasts.map((contrast) => (
        <Against key={contrast.side} contrast={contrast} baseline={data.baseline} />
      ))}
      {data?.why_none && <Text c="dimmed">{sentence(data.why_none)}</Text>}
      {data?.why_none === null && (
        <Text size="sm" c="dimmed">
          Runs that differ in nothing but the seed are one side. At equal cost, figures lie on the straight line between
          two evaluations; intervals are Student’s t at 95 %, paired by seed where both sides have two seeds or more.
          Each stands for itself: the more ideas are tried, the likelier one is lucky.
        </Text>
      )}
    </section>
  );
}

function Against({ contrast, baseline }: { contrast: Contrast; baseline: string }) {
  const letter = (label: string) => label.split(" ")[0];
  return (
    <>
      <Alert variant="outline" icon={<IconScale aria-hidden />} title={titles[contrast.verdict]} mb="sm">
        <Text size="sm">{contrast.sentence}</Text>
        {contrast.notes.map((note) => (
          <Text key={note} size="sm" c="dimmed">
            Note: {note}
          </Text>
        ))}
      </Alert>
      <Table.ScrollContainer
        minWidth={640}
        type="native"
        tabIndex={0}
        role="region"
        aria-label={`${contrast.side} against ${baseline}`}
        mb="md"
      >
        <Table withTableBorder fz="sm">
          <Table.Caption className="visually-hidden">
            {contrast.side} against {baseline}
          </Table.Caption>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">{contrast.unit}</Table.Th>
              <Table.Th scope="col">spent</Table.Th>
              <Table.Th scope="col">{letter(baseline)}</Table.Th>
              <Table.Th scope="col">{letter(contrast.side)}</Table.Th>
              <Table.Th scope="col">difference</Table.Th>
              <Table.Th scope="col">95 % interval</Table.Th>
              <Table.Th scope="col">{letter(contrast.side)} is</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {contrast.measured.map((row) => (
              <Table.Tr key={row.at}>
                <Table.Th scope="row" fw={500}>
                  {row.where}
                </Table.Th>
                <Table.Td ff="monospace">{row.spent ?? "–"}</Table.Td>
                <Table.Td ff="monospace">{figure(row.baseline)}</Table.Td>
                <Table.Td ff="monospace">{figure(row.side)}</Table.Td>
                <Table.Td ff="monospace">{signed(row.difference)}</Table.Td>
                <Table.Td ff="monospace">
                  {row.low === null || row.high === null ? "–" : `${signed(row.low)} to ${signed(row.high)}`}
                </Table.Td>
                <Table.Td>{row.outcome}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </>
  );
}

const titles: Record<Contrast["verdict"], string> = {
  better: "Better",
  worse: "Worse",
  "not decided": "Not decided",
};

type Shown = Contrast["measured"][number]["side"];

function figure(value: Shown): string {
  return finite(value)?.toFixed(4) ?? String(value);
}

function signed(value: Shown): string {
  const found = finite(value);
  if (found === null) return String(value);
  return `${found < 0 ? "−" : "+"}${Math.abs(found).toFixed(4)}`;
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
