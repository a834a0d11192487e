import { Select } from "@mantine/core";
import type { ConfigGroup } from "@/api/types";

interface Props {
  group: ConfigGroup;
  /** As chosen; null: the default. */
  value: string | null;
  onChange: (value: string | null) => void;
}

/** One of the files of a configuration group, in a line; under it the sentence that says who should choose it. */
export function GroupSelect({ group, value, onChange }: Props) {
  const chosen = value ?? group.default ?? group.choices[0]?.name ?? null;
  return (
    <Select
      label={`${group.name}=`}
      description={group.choices.find(({ name }) => name === chosen)?.description}
      inputWrapperOrder={["label", "input", "description"]}
      data={group.choices.map(({ name }) => name)}
      value={chosen}
      onChange={(name) => onChange(name === group.default ? null : name)}
      allowDeselect={false}
      maw={520}
      mb="sm"
      data-testid={`group-${group.name}`}
    />
  );
}
