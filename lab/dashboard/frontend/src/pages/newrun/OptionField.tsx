import { Badge, Checkbox, Group, Select, TextInput, UnstyledButton } from "@mantine/core";
import { IconArrowBackUp, IconArrowsSplit } from "@tabler/icons-react";
import type { ConfigOption } from "@/api/types";
import classes from "./OptionField.module.css";

interface Props {
  option: ConfigOption;
  /** As typed; null: the default. */
  value: string | null;
  /** What it comes to when nothing is typed. */
  resolved: string;
  /** Values of a sweep over this option; null: no sweep. */
  sweep: string[] | null;
  error: string | null;
  /** What to think of before one starts with this value; null: nothing. */
  warning: string | null;
  /** Is what is left alone that of the run before, and not the default? */
  goingOn: boolean;
  onChange: (value: string | null) => void;
  onSweep: (values: string[] | null) => void;
}

/** One option of a run: its value, what it does, its range, and whether a sweep goes through it. */
export function OptionField({ option, value, resolved, sweep, error, warning, goingOn, onChange, onSweep }: Props) {
  const range = rangeOf(option);
  const changed = value !== null || sweep !== null;
  const back = goingOn ? "back to the value of the run before" : "back to the default";
  return (
    <div className={classes.field} data-changed={changed} data-testid={`option-${option.name}`}>
      <Group justify="space-between" wrap="nowrap" gap={6} align="center">
        <label htmlFor={`option-${option.name}`} className={classes.name}>
          {option.name}
        </label>
        <Group gap={6} wrap="nowrap">
          {changed && (
            <UnstyledButton
              className={classes.small}
              onClick={() => {
                if (sweep !== null) onSweep(null);
                else onChange(null);
              }}
              aria-label={`${option.name}: ${back}`}
              title={back[0]?.toUpperCase() + back.slice(1)}
            >
              <IconArrowBackUp size={15} aria-hidden />
            </UnstyledButton>
          )}
          {(option.sweepable || sweep !== null) && (
            <UnstyledButton
              className={classes.small}
              aria-pressed={sweep !== null}
              aria-label={`Sweep over ${option.name}`}
              title="Try several values: a run for each"
              onClick={() => onSweep(sweep === null ? [value ?? resolved] : null)}
            >
              <IconArrowsSplit size={15} aria-hidden />
            </UnstyledButton>
          )}
        </Group>
      </Group>
      {sweep !== null ? (
        <SweepInput option={option} values={sweep} error={error} onSweep={onSweep} />
      ) : (
        <Input option={option} value={value} resolved={resolved} error={error} onChange={onChange} />
      )}
      {warning !== null && (
        <div className={classes.warning} role="status">
          {warning}
        </div>
      )}
      <div className={classes.doc} id={`doc-${option.name}`}>
        {option.description} {range && <span className={classes.range}>{range}</span>}
      </div>
    </div>
  );
}

function Input({
  option,
  value,
  resolved,
  error,
  onChange,
}: Pick<Props, "option" | "value" | "resolved" | "error" | "onChange">) {
  const shared = { id: `option-${option.name}`, "aria-describedby": `doc-${option.name}`, error, size: "sm" as const };
  if (option.type === "boolean") {
    const on = (value ?? resolved) === "true";
    return (
      <Checkbox
        {...shared}
        checked={on}
        label={on ? "yes" : "no"}
        onChange={({ currentTarget: { checked } }) => {
          const text = String(checked);
          onChange(value !== null && text === resolved ? null : text);
        }}
      />
    );
  }
  if (option.choices) {
    return (
      <Select {...shared} data={option.choices} value={value ?? resolved} allowDeselect={false} onChange={onChange} />
    );
  }
  return (
    <TextInput
      {...shared}
      value={value ?? ""}
      placeholder={resolved}
      inputMode={option.type === "integer" ? "numeric" : option.type === "number" ? "decimal" : undefined}
      onChange={(event) => onChange(event.currentTarget.value === "" ? null : event.currentTarget.value)}
    />
  );
}

function SweepInput({
  option,
  values,
  error,
  onSweep,
}: Pick<Props, "option" | "error"> & { values: string[]; onSweep: Props["onSweep"] }) {
  return (
    <TextInput
      id={`option-${option.name}`}
      aria-describedby={`doc-${option.name}`}
      size="sm"
      error={error}
      defaultValue={values.join(", ")}
      placeholder="values, separated by commas"
      rightSection={<Badge size="xs" variant="default">{`${values.length}×`}</Badge>}
      rightSectionWidth={44}
      onChange={(event) =>
        onSweep(
          event.currentTarget.value
            .split(",")
            .map((one) => one.trim())
            .filter(Boolean),
        )
      }
    />
  );
}

/** What may be typed, in words; null: anything of its type. */
function rangeOf({ low, high, low_open: aboveLow, high_open: belowHigh, optional }: ConfigOption): string | null {
  const parts = [
    low === null ? null : `${aboveLow ? "above" : "at least"} ${low}`,
    high === null ? null : `${belowHigh ? "below" : "at most"} ${high}`,
    optional ? "or null" : null,
  ].filter((part) => part !== null);
  return parts.length > 0 ? `(${parts.join(", ")})` : null;
}
