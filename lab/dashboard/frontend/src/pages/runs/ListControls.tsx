import { Button, Group, MultiSelect, Popover, SegmentedControl, Select, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconColumns, IconSearch } from "@tabler/icons-react";
import { memo, useState } from "react";
import { useColumns } from "@/api/lists";
import type { StateFilter } from "@/api/types";
import { titleOfColumn, USUAL } from "./columns";

export const FILTERS: StateFilter[] = ["all", "alive", "finished", "stopped", "failed"];
const WAIT = 200; // ms after the last key

interface Props {
  words: string;
  onWords: (words: string) => void;
  unknown: string[];
  filter: StateFilter;
  onFilter: (filter: StateFilter) => void;
  columns: string[];
  onColumns: (columns: string[]) => void;
  group: string;
  onGroup: (by: string) => void;
  figure: string;
  onFigure: (figure: string) => void;
}

/** What the list is asked for: words and conditions, a state, columns, groups. Not drawn anew while it is scrolled. */
export const ListControls = memo(function ListControls(props: Props) {
  const { data: known = [] } = useColumns();
  const options = known.filter(({ kind }) => kind === "option");
  const figures = known.filter(({ kind, name }) => kind === "figure" && !TEXTS.has(name));
  const choices = [
    { group: "Figures", items: ["curve", ...known.filter(({ kind }) => kind === "figure").map(({ name }) => name)] },
    { group: "Options that differ", items: options.filter(({ varied }) => varied).map(({ name }) => name) },
    { group: "Options", items: options.filter(({ varied }) => !varied).map(({ name }) => name) },
  ].map(({ group, items }) => ({
    group,
    items: items.filter((name) => name !== "name").map((value) => ({ value, label: titleOfColumn(value) })),
  }));
  return (
    <Group mb="md" gap="sm" align="flex-start">
      <Words {...props} />
      <SegmentedControl
        aria-label="Which runs"
        tt="capitalize"
        data={FILTERS}
        value={props.filter}
        onChange={(value) => props.onFilter(FILTERS.find((one) => one === value) ?? "all")}
      />
      <Select
        aria-label="Group by"
        data={[
          { value: "", label: "Not in groups" },
          { value: "*", label: "All options but the seed" },
          ...options.filter(({ varied }) => varied).map(({ name }) => ({ value: name, label: `By ${name}` })),
        ]}
        value={props.group}
        onChange={(value) => props.onGroup(value ?? "")}
        allowDeselect={false}
        searchable
        w={220}
      />
      {props.group !== "" && (
        <Select
          aria-label="Figure of the groups"
          data={figures.map(({ name }) => ({ value: name, label: titleOfColumn(name) }))}
          value={props.figure}
          onChange={(value) => value && props.onFigure(value)}
          allowDeselect={false}
          searchable
          w={180}
        />
      )}
      {props.group === "" && (
        <Popover position="bottom-end" withinPortal trapFocus>
          <Popover.Target>
            <Button variant="default" leftSection={<IconColumns size={16} aria-hidden />}>
              Columns
            </Button>
          </Popover.Target>
          <Popover.Dropdown w={420} maw="calc(100vw - 32px)">
            <MultiSelect
              label="Columns"
              description="Any option or figure, in this order"
              data={choices}
              value={props.columns}
              onChange={props.onColumns}
              searchable
              hidePickedOptions
              maxValues={16}
              limit={60}
              comboboxProps={{ withinPortal: false }}
              nothingFoundMessage="No run has such an option"
            />
            <Button variant="subtle" size="xs" mt="xs" onClick={() => props.onColumns(USUAL)}>
              The usual ones
            </Button>
          </Popover.Dropdown>
        </Popover>
      )}
    </Group>
  );
});

const TEXTS = new Set(["name", "state", "model", "corpus", "path", "created", "updated"]);

function Words({ words, onWords, unknown }: Pick<Props, "words" | "onWords" | "unknown">) {
  const [text, setText] = useState(words);
  const [sent, setSent] = useState(words);
  const [before, setBefore] = useState(words);
  const settle = useDebouncedCallback((next: string) => {
    setSent(next);
    onWords(next);
  }, WAIT);
  // What somebody is typing stays; what has changed elsewhere (a group was opened, all are to be shown) comes in.
  if (words !== before) {
    setBefore(words);
    if (words !== sent) {
      setSent(words);
      setText(words);
    }
  }
  return (
    <div style={{ flex: "1 1 260px", maxWidth: 400 }}>
      <TextInput
        aria-label="Find runs by name, tag, option or figure"
        placeholder="fox lr>=1e-3 n_layers=2"
        description="Words of a name or tag; conditions on any option or figure"
        inputWrapperOrder={["label", "input", "description", "error"]}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          settle(event.currentTarget.value);
        }}
      />
      <Text size="xs" c="var(--mantine-color-error)" role="status">
        {unknown.length > 0 && `No option or figure is called ${unknown.join(", ")}, or several end so.`}
      </Text>
    </div>
  );
}
