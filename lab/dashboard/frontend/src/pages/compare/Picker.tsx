import { MultiSelect } from "@mantine/core";
import type { RunSummary } from "@/api/types";
import { titleOf } from "@/components/run/naming";

interface Props {
  runs: RunSummary[];
  chosen: string[];
  onChange: (ids: string[]) => void;
}

export const MOST_RUNS = 24;

/** Which runs to lay over each other. */
export function Picker({ runs, chosen, onChange }: Props) {
  return (
    <MultiSelect
      label="Runs"
      placeholder={chosen.length === 0 ? "Choose two or more" : undefined}
      data={runs.map((run) => ({ value: run.id, label: `${titleOf(run)} (${run.state})` }))}
      value={chosen}
      onChange={onChange}
      searchable
      clearable
      hidePickedOptions
      maxValues={MOST_RUNS}
      nothingFoundMessage="No run of this name"
      clearButtonProps={{ "aria-label": "Choose none" }}
    />
  );
}
