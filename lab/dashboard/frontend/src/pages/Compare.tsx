import { Divider, Loader, Select, Stack, Title } from "@mantine/core";
import { useMemo } from "react";
import { choiceParam, listParam, textParam, useParam } from "@/address/useParam";
import { useOptionsOf } from "@/api/runs";
import { EmptyState } from "@/components/EmptyState";
import { ErrorNote } from "@/components/ErrorNote";
import { labelsOf } from "@/components/run/naming";
import { flat, varied } from "@/components/run/options";
import { useSweepRuns } from "@/api/lists";
import { useLiveSummaries } from "@/live/summaries";
import { TableView } from "@/components/TableView";
import { PageHead } from "@/components/PageHead";
import { Differences } from "./compare/Differences";
import { RESULT_NAMES, RESULTS, table, type Compared } from "./compare/outcomes";
import { Overlay, type OverlaidRun } from "./compare/Overlay";
import { Parallel } from "./compare/Parallel";
import { MOST_RUNS, Picker } from "./compare/Picker";
import { SweepNote } from "./compare/SweepNote";
import { Scatter } from "./compare/Scatter";
import { Verdict } from "./compare/Verdict";
import classes from "./compare/Compare.module.css";

const options = textParam();
const results = choiceParam(RESULTS, "best_val_loss");

export default function Compare() {
  const [wanted, setWanted] = useParam("runs", listParam);
  const [sweep, setSweep] = useParam("sweep", options);
  const { data: members } = useSweepRuns(sweep);
  const ids = useMemo(
    () => (wanted.length > 0 ? wanted : (members ?? []).map(({ id }) => id)).slice(0, MOST_RUNS),
    [wanted, members],
  );
  const { data: runs, error, refetch } = useLiveSummaries(ids);
  const configs = useOptionsOf(ids);
  const compared = useMemo(() => {
    const found = ids.flatMap((id) => {
      const run = runs?.find((one) => one.id === id);
      return run ? [{ run, options: flat(configs[id]) }] : [];
    });
    const labels = labelsOf(found);
    return found.map((one, style): Compared => ({ ...one, style, label: labels[style] ?? "" }));
  }, [ids, runs, configs]);
  const word = JSON.stringify(compared.map(({ run, label, style }) => ({ id: run.id, label, style })));
  const lines = useMemo(() => JSON.parse(word) as OverlaidRun[], [word]);
  if (error && !runs) return <ErrorNote error={error} onRetry={refetch} />;
  if (!runs) return <Loader aria-label="Loading the runs" />;
  return (
    <>
      <PageHead title="Compare" lead="Curves over each other, and what the runs have in common and what not." />
      <Stack gap="xl">
        {sweep !== "" && <SweepNote sweep={sweep} members={members ?? []} />}
        <Picker
          runs={runs}
          chosen={ids}
          onChange={(chosen) => {
            setWanted(chosen);
            setSweep("");
          }}
        />
        {compared.length < 2 ? (
          <EmptyState title={sweep ? "The runs of this sweep come here as they start" : "Choose two runs or more"}>
            Their curves, their different options and their results are laid side by side.
          </EmptyState>
        ) : (
          <>
            <Overlay lines={lines} />
            <section>
              <Title order={2} mb="sm">
                What is different
              </Title>
              <Differences compared={compared} />
            </section>
            <Verdict compared={compared} />
            <Outcomes compared={compared} />
          </>
        )}
      </Stack>
    </>
  );
}

/** What the options led to: pictures where an option differs, and a table in any case. */
function Outcomes({ compared }: { compared: Compared[] }) {
  const [option, setOption] = useParam("option", options);
  const [result, setResult] = useParam("result", results);
  const names = varied(compared.map((one) => one.options));
  const chosen = names.includes(option) ? option : names[0];
  const { columns, rows } = table(compared);
  return (
    <section>
      <Title order={2} mb="sm">
        What it led to
      </Title>
      {chosen !== undefined && (
        <>
          <div className={classes.choices}>
            <Select
              label="Option"
              data={names}
              value={chosen}
              onChange={(value) => setOption(value ?? "")}
              allowDeselect={false}
            />
            <Select
              label="Result"
              data={RESULTS.map((value) => ({ value, label: RESULT_NAMES[value] }))}
              value={result}
              onChange={(value) => setResult(results.read(value))}
              allowDeselect={false}
            />
          </div>
          <div className={classes.pictures}>
            <Scatter compared={compared} option={chosen} result={result} />
            <Parallel compared={compared} options={names.slice(0, 8)} result={result} />
          </div>
        </>
      )}
      <Divider my="md" />
      <TableView caption="Runs, results and different options" columns={columns} rows={rows} file="runs" />
    </section>
  );
}
