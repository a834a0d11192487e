import { Alert, Loader, Select, Text, Title } from "@mantine/core";
import { IconScale } from "@tabler/icons-react";
import { choiceParam, useParam } from "@/address/useParam";
import type { Comparison, Contrast, HeldEqual } from "@/api/types";
import { Computed } from "@/components/figures/Computed";
import { finite } from "@/live/record";
import { Seen } from "@/pages/questions/Seen";
import { Interval, type Row } from "./Interval";
import type { Line } from "./lines";

const PLACES: { value: HeldEqual; label: string }[] = [
  { value: "tokens", label: "tokens" },
  { value: "flops", label: "FLOPs" },
  { value: "seconds", label: "training time" },
  { value: "processor_seconds", label: "processor time" },
  { value: "final", label: "nothing: last evaluation" },
  { value: "best", label: "nothing: best evaluation" },
];
export const heldEqual = choiceParam(
  PLACES.map(({ value }) => value),
  "tokens",
);
/** Sentences that stand open; more are folded away. */
const OPEN = 3;

interface Props {
  comparison: Comparison | undefined;
  error: Error | null;
  lines: Line[];
}

/** Which side is better, in one sentence and one picture. */
export function Verdict({ comparison, error, lines }: Props) {
  const [by, setBy] = useParam("by", heldEqual);
  const contrasts = comparison?.contrasts ?? [];
  return (
    <section data-testid="verdict">
      <Title order={2} mb="sm">
        The verdict
      </Title>
      {!comparison && !error && <Loader aria-label="Comparing the runs" size="sm" />}
      {error && <Text c="dimmed">{sentence(error.message)}</Text>}
      {comparison?.why_none && <Text c="dimmed">{sentence(comparison.why_none)}</Text>}
      {comparison && contrasts.length > 0 && (
        <>
          {contrasts.slice(0, OPEN).map((contrast) => (
            <Told key={contrast.name} contrast={contrast} />
          ))}
          {contrasts.length > OPEN && (
            <details>
              <summary>The other {contrasts.length - OPEN} sentences</summary>
              {contrasts.slice(OPEN).map((contrast) => (
                <Told key={contrast.name} contrast={contrast} />
              ))}
            </details>
          )}
          <Select
            size="xs"
            label="Held equal"
            data={PLACES}
            value={by}
            onChange={(value) => setBy(heldEqual.read(value))}
            allowDeselect={false}
            w={220}
            my="sm"
          />
          <Interval
            rows={
              contrasts.length === 1
                ? placesOf(contrasts[0] as Contrast, lines, comparison)
                : sidesOf(comparison, lines)
            }
            unit={contrasts[0]?.unit ?? ""}
            against={comparison.baseline}
            columns={COLUMNS}
            numbers={contrasts.flatMap(figuresOf)}
          />
          <Text size="sm" c="dimmed" mt="xs" component="div">
            {comparison.baseline} is the baseline, and each <Computed of="compare.difference" /> is to it. Runs that
            differ in nothing but the seed are one side. <Computed of="compare.held_equal">At equal cost</Computed>,
            figures lie on the straight line between two evaluations;{" "}
            <Computed of="compare.interval">intervals</Computed> are Student’s t at 95 %, paired by seed where both
            sides have two seeds or more. Each stands for itself: the more ideas are tried, the likelier one is lucky.
          </Text>
          <Seen place="verdict" />
        </>
      )}
    </section>
  );
}

function Told({ contrast }: { contrast: Contrast }) {
  return (
    <Alert variant="outline" icon={<IconScale aria-hidden />} title={titles[contrast.verdict]} mb="sm">
      <Text size="sm">{contrast.sentence}</Text>
      {contrast.notes.map((note) => (
        <Text key={note} size="sm" c="dimmed">
          Note: {note}
        </Text>
      ))}
    </Alert>
  );
}

/** One side alone: its difference wherever it was measured. */
function placesOf(contrast: Contrast, lines: Line[], comparison: Comparison): Row[] {
  return contrast.measured.map((row) => ({
    id: row.at,
    label: row.spent === null ? row.where : `${row.where} (${row.spent})`,
    style: styleOf(contrast, lines, comparison),
    difference: finite(row.difference),
    low: finite(row.low),
    high: finite(row.high),
    outcome: row.outcome,
  }));
}

/** Several sides: each where the verdict is about. */
function sidesOf(comparison: Comparison, lines: Line[]): Row[] {
  return comparison.contrasts.map((contrast) => {
    const row = contrast.measured.find(({ at }) => at === contrast.by);
    return {
      id: contrast.name,
      label: contrast.side,
      style: styleOf(contrast, lines, comparison),
      difference: finite(row?.difference),
      low: finite(row?.low),
      high: finite(row?.high),
      outcome: row?.outcome ?? "not decided",
    };
  });
}

/** The style of the side's line in the chart. */
function styleOf(contrast: Contrast, lines: Line[], { sides }: Comparison): number {
  const run = sides.find(({ name }) => name === contrast.name)?.runs[0] ?? "";
  return lines.find(({ runs }) => runs.includes(run))?.style ?? 0;
}

const COLUMNS = ["side", "held equal", "spent", "baseline", "this side", "difference", "from", "to", "this side is"];

function figuresOf(contrast: Contrast): (string | number | null)[][] {
  return contrast.measured.map((row) => [
    contrast.side,
    row.where,
    row.spent,
    finite(row.baseline),
    finite(row.side),
    finite(row.difference),
    finite(row.low),
    finite(row.high),
    row.outcome,
  ]);
}

const titles: Record<Contrast["verdict"], string> = {
  better: "Better",
  worse: "Worse",
  "not decided": "Not decided",
};

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
