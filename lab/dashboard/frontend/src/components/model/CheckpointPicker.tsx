import { Group, Select } from "@mantine/core";
import type { ReactNode } from "react";
import type { Checkpoint } from "@/api/types";
import { RunSelect } from "@/components/run/RunSelect";
import type { Chosen } from "./useChosen";

interface Props {
  chosen: Chosen;
  /** Before the names of the two fields, where there are two of them: "Second ". */
  prefix?: string;
  clearable?: boolean;
  children?: ReactNode;
}

/** A run, and a checkpoint of it. */
export function CheckpointPicker({ chosen, prefix = "", clearable = false, children }: Props) {
  const { run, setRun, checkpoints, checkpoint, setCheckpoint, missing } = chosen;
  const label = (word: string) => (prefix ? `${prefix} ${word.toLowerCase()}` : word);
  return (
    <Group align="flex-start" gap="sm">
      <RunSelect
        label={label("Run")}
        placeholder={clearable ? "none" : "Choose a run"}
        run={run}
        onRun={setRun}
        among="checkpoints>0"
        clearable={clearable}
        clearButtonProps={{ "aria-label": `No ${label("Run").toLowerCase()}` }}
        w={{ base: "100%", xs: 260 }}
      />
      <Select
        label={label("Checkpoint")}
        placeholder={run && checkpoints.length === 0 ? "This run has none" : "Choose a checkpoint"}
        data={checkpoints.map((one) => ({ value: one.id, label: nameOf(one) }))}
        value={checkpoint?.id ?? null}
        onChange={(value) => value && setCheckpoint(value)}
        error={missing ? "This checkpoint is there no more: choose another one." : undefined}
        disabled={run === "" || checkpoints.length === 0}
        allowDeselect={false}
        searchable
        w={{ base: "100%", xs: 240 }}
      />
      {children}
    </Group>
  );
}

export function nameOf({ name, step }: Checkpoint): string {
  if (step === null) return name;
  // "step-00000240.ckpt" says nothing that its step does not; "best.ckpt" does.
  const told = /^(step|weights)-/.test(name) ? "" : ` (${name.replace(/\.ckpt$/, "")})`;
  return `step ${step.toLocaleString("en")}${told}`;
}
