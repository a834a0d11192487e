import { Select } from "@mantine/core";
import type { ConfigGroup } from "@/api/types";

interface Props {
  group: ConfigGroup;
  /** As chosen, by whomever; null: the default. */
  value: string | null;
  onChange: (value: string) => void;
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
      onChange={(name) => name !== null && onChange(name)}
      allowDeselect={false}
      maw={520}
      mb="sm"
      data-testid={`group-${group.name}`}
    />
  );
}
