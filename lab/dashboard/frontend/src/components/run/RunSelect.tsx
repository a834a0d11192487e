import { Select, type SelectProps } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { useFirst } from "@/api/lists";
import { useRunSummary } from "@/api/summaries";
import { titleOf } from "./naming";

interface Props extends Omit<SelectProps, "data" | "value" | "onChange" | "searchValue" | "onSearchChange"> {
  run: string;
  onRun: (run: string) => void;
  /** Before what is typed: conditions that every choice fulfils. */
  among?: string;
}

const CHOICES = 30;
const WAIT = 200; // ms after the last key

/** One run of thousands: the newest ones to choose from, and any other by typing. */
export function RunSelect({ run, onRun, among = "", ...rest }: Props) {
  const [text, setText] = useState("");
  const { data: chosen } = useRunSummary(run);
  const name = chosen ? titleOf(chosen) : run;
  // What stands in the field when nobody types is the choice itself.
  const [asked] = useDebouncedValue(text === name ? "" : text, WAIT);
  const { data: found } = useFirst({ q: `${among} ${asked}`.trim() }, CHOICES);
  const runs = found?.rows ?? [];
  const choices = runs.map((one) => ({ value: one.id, label: titleOf(one) }));
  const missing = run !== "" && !runs.some(({ id }) => id === run) ? [{ value: run, label: name }] : [];
  const more = (found?.matching ?? 0) - runs.length;
  return (
    <Select
      {...rest}
      data={[...missing, ...choices]}
      value={run || null}
      onChange={(value) => onRun(value ?? "")}
      searchable
      searchValue={text}
      onSearchChange={setText}
      filter={({ options }) => options} // the server has done it
      nothingFoundMessage="No run of this name"
      description={more > 0 && asked === "" ? `The newest ${runs.length}; type to find the others` : undefined}
      inputWrapperOrder={["label", "input", "description", "error"]}
    />
  );
}
