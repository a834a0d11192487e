import { Alert, Anchor, Box, Loader, Table, Text } from "@mantine/core";
import { Link } from "react-router";
import { MOST_GROUPS, useGroups, type Question } from "@/api/lists";
import type { RunGroup } from "@/api/types";
import { ErrorNote } from "@/components/ErrorNote";
import { compact, shortened } from "@/components/run/naming";
import type { Value } from "@/components/run/options";
import { titleOfColumn } from "./columns";
import classes from "./GroupTable.module.css";

interface Props {
  question: Pick<Question, "q" | "state">;
  by: string;
  figure: string;
  /** Shows the runs of a group: these conditions are put before what was asked for. */
  onOpen: (conditions: string) => void;
}

const MOST_COMPARED = 24;
/** Options that a label names. */
const MOST_NAMED = 5;

/** Runs with options in common, a line a group: how many, and the mean and the spread of a figure over them. */
export function GroupTable({ question, by, figure, onOpen }: Props) {
  const { data, error, refetch } = useGroups(question, by, figure);
  if (error) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loader aria-label="Loading the groups" />;
  const { groups, matching } = data;
  const low = Math.min(...groups.flatMap((group) => group.low ?? []));
  const high = Math.max(...groups.flatMap((group) => group.high ?? []));
  const short = shortened([...new Set(groups.flatMap(({ options }) => Object.keys(options)))]);
  return (
    <>
      {matching > groups.length && (
        <Alert variant="outline" mb="sm">
          These are {matching.toLocaleString("en")} groups; the {MOST_GROUPS} with the lowest mean are shown.
        </Alert>
      )}
      <Table.ScrollContainer minWidth={320} type="native" tabIndex={0} role="region" aria-label="Groups of runs">
        <Table verticalSpacing="xs" className={classes.table} data-testid="group-table">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Group</Table.Th>
              <Table.Th scope="col" ta="right">
                Runs
              </Table.Th>
              <Table.Th scope="col" ta="right">
                {titleOfColumn(figure)}, mean
              </Table.Th>
              <Table.Th scope="col" visibleFrom="sm">
                From the lowest to the highest
              </Table.Th>
              <Table.Th scope="col" visibleFrom="sm">
                <span className="visually-hidden">What to do with it</span>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {groups.map((group) => (
              <Table.Tr key={JSON.stringify(group.options)} data-testid="group-row">
                <Table.Th scope="row" fw={500}>
                  <Anchor component="button" type="button" ta="left" onClick={() => onOpen(conditionsOf(group))}>
                    {labelOf(namedOf(group).slice(0, MOST_NAMED), short)}
                  </Anchor>
                  <More group={group} short={short} />
                  <Box hiddenFrom="sm">
                    <Compared runs={group.runs} />
                  </Box>
                </Table.Th>
                <Table.Td ta="right">
                  {group.count.toLocaleString("en")}
                  <Text size="xs" c="dimmed" className={classes.seeds}>
                    {group.seeds === 1 ? "1 seed" : `${group.seeds} seeds`}
                  </Text>
                </Table.Td>
                <Table.Td ta="right" ff="monospace">
                  {group.mean === null ? "–" : short4(group.mean)}
                  {group.deviation !== null && (
                    <Text size="xs" c="dimmed" ff="monospace" title="Standard deviation over the runs">
                      ± {short4(group.deviation)}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td visibleFrom="sm">
                  <Band group={group} low={low} high={high} />
                </Table.Td>
                <Table.Td visibleFrom="sm">
                  <Compared runs={group.runs} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </>
  );
}

function Compared({ runs }: { runs: string[] }) {
  if (runs.length < 2) return null;
  return (
    <Anchor component={Link} size="sm" to={`/compare?runs=${runs.slice(0, MOST_COMPARED).join(",")}`}>
      Compare
    </Anchor>
  );
}

/** Where the group lies between the lowest and the highest of all: its range, and its mean as a mark. */
function Band({ group, low, high }: { group: RunGroup; low: number; high: number }) {
  if (group.low === null || group.high === null || group.mean === null) return null;
  const place = (value: number) => (high > low ? (100 * (value - low)) / (high - low) : 50);
  return (
    <>
      <div
        className={classes.band}
        role="img"
        aria-label={`from ${short4(group.low)} to ${short4(group.high)}, mean ${short4(group.mean)}`}
      >
        <span
          className={classes.range}
          style={{ left: `${place(group.low)}%`, width: `${place(group.high) - place(group.low)}%` }}
        />
        <span className={classes.mean} style={{ left: `${place(group.mean)}%` }} />
      </div>
      <Text size="xs" c="dimmed" ff="monospace">
        {short4(group.low)} … {short4(group.high)}
      </Text>
    </>
  );
}

/** What a label names: runs of different years differ in every option that has come since, and was not set. */
function namedOf({ options }: RunGroup): [string, Value][] {
  const entries = Object.entries(options);
  const set = entries.filter(([, value]) => value !== null);
  return set.length > 0 ? set : entries;
}

function labelOf(options: [string, Value][], short: Map<string, string>): string {
  return options.map(([name, value]) => `${short.get(name) ?? name}=${compact(value)}`).join(", ") || "all alike";
}

/** The options for which the label has no room. */
function More({ group, short }: { group: RunGroup; short: Map<string, string> }) {
  const all = Object.entries(group.options);
  const more = all.length - namedOf(group).slice(0, MOST_NAMED).length;
  if (more === 0) return null;
  return (
    <details className={classes.more}>
      <summary>
        and {more} {more === 1 ? "option" : "options"} more
      </summary>
      {labelOf(all, short)}
    </details>
  );
}

/** As they are typed into the box. A value with a blank in it is no word of the box. */
function conditionsOf({ options }: RunGroup): string {
  const plain = Object.entries(options).filter(([, value]) => !/[\s,<>=]/.test(String(value)));
  return plain.map(([name, value]) => `${name}=${value === null ? "null" : String(value)}`).join(" ");
}

function short4(value: number): string {
  return Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3)
    ? value.toExponential(2)
    : String(Number(value.toPrecision(4)));
}
