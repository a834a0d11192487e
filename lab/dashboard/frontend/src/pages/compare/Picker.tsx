import { MultiSelect } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { useFirst } from "@/api/lists";
import type { RunSummary } from "@/api/types";
import { titleOf } from "@/components/run/naming";

interface Props {
  /** Those that are chosen, as far as they are there. */
  runs: RunSummary[];
  chosen: string[];
  /** What the chosen ones are called among each other, by id. */
  labels: Map<string, string>;
  onChange: (ids: string[]) => void;
}

/** As many as lines have styles that differ, and as the server compares at a time. */
export const MOST_RUNS = 64;
const CHOICES = 30;
const WAIT = 200; // ms after the last key

/** Which runs to lay over each other: the newest to choose from, and any other by typing. */
export function Picker({ runs, chosen, labels, onChange }: Props) {
  const [text, setText] = useState("");
  const [asked] = useDebouncedValue(text, WAIT);
  const { data: found } = useFirst({ q: asked }, CHOICES + chosen.length);
  const known = new Map([...runs, ...(found?.rows ?? [])].map((run) => [run.id, run]));
  return (
    <MultiSelect
      label="Runs"
      placeholder={chosen.length === 0 ? "Choose two or more" : undefined}
      data={[...known.values()].map((run) => ({
        value: run.id,
        label: labels.get(run.id) ?? `${titleOf(run)} (${run.state})`,
      }))}
      value={chosen}
      onChange={onChange}
      searchable
      searchValue={text}
      onSearchChange={setText}
      filter={({ options }) => options} // the server has done it
      clearable
      hidePickedOptions
      maxValues={MOST_RUNS}
      nothingFoundMessage="No run of this name"
      clearButtonProps={{ "aria-label": "Choose none" }}
    />
  );
}
