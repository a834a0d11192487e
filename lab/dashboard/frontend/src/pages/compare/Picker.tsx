import { MultiSelect } from "@mantine/core";
import type { RunSummary } from "@/api/types";
import { titleOf } from "@/components/run/naming";

interface Props {
  runs: RunSummary[];
  chosen: string[];
  /** What the chosen ones are called among each other, by id. */
  labels: Map<string, string>;
  onChange: (ids: string[]) => void;
}

/** As many as lines have styles that differ, and as the server compares at a time. */
export const MOST_RUNS = 64;
/** Runs in the open list; the others are found by typing. */
const LISTED = 50;

/** Which runs to lay over each other. */
export function Picker({ runs, chosen, labels, onChange }: Props) {
  return (
    <MultiSelect
      label="Runs"
      placeholder={chosen.length === 0 ? "Choose two or more" : undefined}
      data={runs.map((run) => ({ value: run.id, label: labels.get(run.id) ?? `${titleOf(run)} (${run.state})` }))}
      value={chosen}
      onChange={onChange}
      searchable
      clearable
      hidePickedOptions
      limit={LISTED}
      maxValues={MOST_RUNS}
      nothingFoundMessage="No run of this name"
      clearButtonProps={{ "aria-label": "Choose none" }}
    />
  );
}
