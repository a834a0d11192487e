import { Accordion, Badge, Text, TextInput, Title } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { textParam, useParam } from "@/address/useParam";
import type { ConfigGroup, ConfigOption } from "@/api/types";
import type { Draft } from "./draft";
import { GroupSelect } from "./GroupSelect";
import { OptionField } from "./OptionField";
import classes from "./AllOptions.module.css";

interface Props {
  groups: ConfigGroup[];
  options: ConfigOption[];
  draft: Draft;
  /** Which file of each group is chosen, by whomever. */
  chosen: Record<string, string | null>;
  goingOn: boolean;
  /** What an option comes to when it is left alone, with all else as chosen; and with nothing typed at all. */
  before: (option: ConfigOption) => string;
  unset: (option: ConfigOption) => string;
  errorOf: (name: string) => string | null;
  warningOf: (name: string) => string | null;
}

const find = textParam();
/** Groups that are chosen further up on the page. */
const ELSEWHERE = ["model", "corpus", "experiment"];
/** Groups without options of their own, and where they are shown. */
const SHOWN_IN: Record<string, string> = { callbacks: "run", logger: "run" };

/** Every option there is, by its group; a word finds some, whichever group they are in. */
export function AllOptions(props: Props) {
  const { groups: choosable, options, draft, chosen, goingOn, before, unset, errorOf, warningOf } = props;
  const [words, setWords] = useParam("find", find);
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = options.filter(({ name, description }) =>
    wanted.every((word) => `${name} ${description}`.toLowerCase().includes(word)),
  );
  const groups = grouped(shown);
  const field = (option: ConfigOption) => (
    <OptionField
      key={option.name}
      option={option}
      value={draft.choices[option.name] ?? null}
      resolved={option.name in draft.choices ? unset(option) : before(option)}
      goingOn={goingOn}
      sweep={draft.sweep[option.name] ?? null}
      error={errorOf(option.name)}
      warning={warningOf(option.name)}
      onChange={(value) => draft.choose(option.name, value)}
      onSweep={(values) => draft.sweepOver(option.name, values)}
    />
  );
  return (
    <div>
      <Title order={2}>All options</Title>
      <Text size="sm" c="dimmed" mb="xs">
        What you leave alone keeps {goingOn ? "the value of the run before" : "its default"}. The split arrows beside a
        name try several values: a run for each.
      </Text>
      <TextInput
        aria-label="Find an option"
        placeholder="Find by name or meaning: drop, batch, temperature …"
        leftSection={<IconSearch size={16} aria-hidden />}
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
        mb="sm"
      />
      {wanted.length > 0 ? (
        shown.length > 0 ? (
          <div className={classes.grid}>{shown.map(field)}</div>
        ) : (
          <Text c="dimmed">No option speaks of that.</Text>
        )
      ) : (
        <Accordion multiple variant="separated" chevronPosition="left" order={3}>
          {[...groups].map(([group, members]) => {
            const changed =
              members.filter(({ name }) => name in draft.choices || name in draft.sweep).length +
              Number(group in draft.choices);
            return (
              <Accordion.Item key={group} value={group}>
                <Accordion.Control>
                  {group}{" "}
                  <Text span c="dimmed" size="sm">
                    {members.length} options
                  </Text>{" "}
                  {changed > 0 && (
                    <Badge variant="outline" size="sm" tt="none">
                      {changed} changed
                    </Badge>
                  )}
                </Accordion.Control>
                <Accordion.Panel>
                  {choosable
                    .filter(({ name }) => (SHOWN_IN[name] ?? name) === group && !ELSEWHERE.includes(name))
                    .map((one) => (
                      <GroupSelect
                        key={one.name}
                        group={one}
                        value={draft.choices[one.name] ?? chosen[one.name] ?? null}
                        onChange={(value) => {
                          const usual = !goingOn && !("experiment" in draft.choices) && value === one.default;
                          draft.choose(one.name, usual ? null : value);
                        }}
                      />
                    ))}
                  <div className={classes.grid}>{members.map(field)}</div>
                </Accordion.Panel>
              </Accordion.Item>
            );
          })}
        </Accordion>
      )}
    </div>
  );
}

/** The options by their group, in the order in which the groups come. */
function grouped(options: ConfigOption[]): Map<string, ConfigOption[]> {
  const groups = new Map<string, ConfigOption[]>();
  for (const option of options) {
    const name = option.group || "run";
    groups.set(name, [...(groups.get(name) ?? []), option]);
  }
  return groups;
}
