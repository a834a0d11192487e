import { Loader, Stack, Text, Title } from "@mantine/core";
import { useMemo } from "react";
import { flagParam, listParam, textParam, useParam } from "@/address/useParam";
import { useSweepRuns } from "@/api/lists";
import { useComparison, useOptionsOf } from "@/api/runs";
import { EmptyState } from "@/components/EmptyState";
import { ErrorNote } from "@/components/ErrorNote";
import { PageHead } from "@/components/PageHead";
import { labelsOf } from "@/components/run/naming";
import { flat } from "@/components/run/options";
import { useLiveSummaries } from "@/live/summaries";
import { Differences } from "./compare/Differences";
import { linesOf, type Found, type Line } from "./compare/lines";
import type { Compared } from "./compare/results";
import { Outcomes } from "./compare/Outcomes";
import { Overlay } from "./compare/Overlay";
import { MOST_RUNS, Picker } from "./compare/Picker";
import { SweepNote } from "./compare/SweepNote";
import { heldEqual, Verdict } from "./compare/Verdict";

const text = textParam();
const apart = flagParam();
const ALIVE = ["queued", "running", "paused", "stopping"];

export default function Compare() {
  const [wanted, setWanted] = useParam("runs", listParam);
  const [sweep, setSweep] = useParam("sweep", text);
  const { data: members } = useSweepRuns(sweep);
  const asked = useMemo(() => (wanted.length > 0 ? wanted : (members ?? []).map(({ id }) => id)), [wanted, members]);
  const ids = useMemo(() => asked.slice(0, MOST_RUNS), [asked]);
  const { data: runs, error, refetch } = useLiveSummaries(ids);
  const configs = useOptionsOf(ids);
  const found = useMemo(
    () =>
      ids.flatMap((id): Found[] => {
        const run = runs?.find((one) => one.id === id);
        return run ? [{ run, options: flat(configs[id]) }] : [];
      }),
    [ids, runs, configs],
  );
  const labels = useMemo(() => {
    const words = labelsOf(found);
    return new Map(found.map(({ run }, at) => [run.id, words[at] ?? ""]));
  }, [found]);
  if (error && !runs) return <ErrorNote error={error} onRetry={refetch} />;
  if (!runs) return <Loader aria-label="Loading the runs" />;
  return (
    <>
      <PageHead title="Compare" lead="Which is better, what the runs have in common, and what not." />
      <Stack gap="xl" data-testid="comparison">
        {sweep !== "" && <SweepNote sweep={sweep} members={members ?? []} />}
        <Picker
          runs={runs}
          chosen={ids}
          labels={labels}
          onChange={(chosen) => {
            setWanted(chosen);
            setSweep("");
          }}
        />
        {asked.length > MOST_RUNS && (
          <Text data-testid="too-many">
            These are {asked.length} runs, and {MOST_RUNS} are compared at a time: here are the first {MOST_RUNS}
            {wanted.length > 0 ? "" : " that were started"}. Take some out above, or choose others in the list of runs.
          </Text>
        )}
        <Chosen found={found} sweep={sweep} />
      </Stack>
    </>
  );
}

/** The chosen runs, as far as they are there. */
function Chosen({ found, sweep }: { found: Found[]; sweep: string }) {
  const [by] = useParam("by", heldEqual);
  const [single] = useParam("apart", apart);
  const alive = found.some(({ run }) => ALIVE.includes(run.state));
  const compared = useComparison(
    found.map(({ run }) => run.id),
    by,
    alive,
  );
  const sides = compared.data?.sides;
  const seeds = sides?.some((side) => side.runs.length > 1) ?? false;
  const shown = useMemo(
    () => linesOf(found, single || !sides ? null : sides.map((side) => side.runs)),
    [found, single, sides],
  );
  // Runs change while they train; the lines only when what they are does.
  const word = JSON.stringify(shown.lines);
  const lines = useMemo(() => JSON.parse(word) as Line[], [word]);
  if (found.length < 2)
    return (
      <EmptyState title={sweep ? "The runs of this sweep come here as they start" : "Choose two runs or more"}>
        Their curves, their different options and their results are laid side by side.
      </EmptyState>
    );
  return (
    <>
      <Verdict comparison={compared.data} error={compared.error} lines={lines} />
      <Overlay lines={lines} seeds={seeds} />
      <Different compared={shown.compared} />
      <Outcomes compared={shown.compared} />
    </>
  );
}

function Different({ compared }: { compared: Compared[] }) {
  return (
    <section>
      <Title order={2} mb="sm">
        What is different
      </Title>
      <Differences compared={compared} />
    </section>
  );
}
