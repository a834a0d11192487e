import { Anchor, Badge, Button, Group, Loader, Stack, Tabs } from "@mantine/core";
import { useMemo } from "react";
import { Link, useParams } from "react-router";
import { choiceParam, useTab } from "@/address/useParam";
import { useCheckpoints, useRun, useRunOptions } from "@/api/runs";
import type { RunSummary } from "@/api/types";
import { titleOf } from "@/components/run/naming";
import { EmptyState } from "@/components/EmptyState";
import { ErrorNote } from "@/components/ErrorNote";
import { RunButtons } from "@/components/run/RunButtons";
import { StateBadge } from "@/components/run/StateBadge";
import { Tags } from "@/components/run/Tags";
import { flat } from "@/components/run/options";
import { useRecord, useVersion } from "@/live/hooks";
import { useLiveSummary } from "@/live/summaries";
import { PageHead } from "@/components/PageHead";
import { Seen } from "@/pages/questions/Seen";
import { CheckpointTable } from "./checkpoints/CheckpointTable";
import { Alerts } from "./run/Alerts";
import { ConfigTable } from "./run/ConfigTable";
import { Failure } from "./run/Failure";
import { Log } from "./run/Log";
import { NextSteps } from "./run/NextSteps";
import { RunCharts } from "./run/RunCharts";
import { RunProgress } from "./run/RunProgress";
import { Samples } from "./run/Samples";
import { Speed } from "./run/Speed";
import { useAlerts } from "./run/useAlerts";
import { Weights } from "./run/Weights";

const TABS = ["samples", "checkpoints", "alerts", "weights", "speed", "log", "config"] as const;
const tabs = choiceParam(TABS, "samples");

export default function Run() {
  const { run: id = "" } = useParams();
  const { data: run, known, error, refetch } = useLiveSummary(id);
  if (error && !known) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  if (!known) return <Loader aria-label="Loading the run" />;
  if (!run) {
    return (
      <PageHead
        title="This run is not there"
        lead="It was deleted, or its folder was moved."
        actions={
          <Button component={Link} to="/runs">
            All runs
          </Button>
        }
      />
    );
  }
  return <Whole key={run.id} run={run} />;
}

function Whole({ run }: { run: RunSummary }) {
  const record = useRecord(run.id);
  useVersion(record);
  const { data: checkpoints = [] } = useCheckpoints(run.id);
  const { tokens_per_step: tokensPerStep } = run;
  const { began } = record;
  const clock = useMemo(() => ({ tokensPerStep, began }), [tokensPerStep, began]);
  const saved = useMemo(
    () => checkpoints.flatMap(({ id, name, step }) => (step === null ? [] : [{ id, name, step }])),
    [checkpoints],
  );
  return (
    <>
      <PageHead
        title={titleOf(run)}
        lead={
          <>
            <Group gap="xs">
              <StateBadge state={run.state} />
              <span>{about(run)}</span>
              {run.parent && <Parent id={run.parent} />}
            </Group>
            <Tags tags={run.tags} />
            {run.note && (
              <div style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere", marginTop: 4 }}>{run.note}</div>
            )}
          </>
        }
        actions={<RunButtons run={run} />}
      />
      <Stack gap="xl">
        <Failure run={run} />
        <RunProgress run={run} record={record} />
        <NextSteps run={run} checkpoints={checkpoints} />
        {record.error !== null && <ErrorNote error={record.error} />}
        <RunCharts run={run.id} record={record} clock={clock} checkpoints={saved} />
        <Details run={run} />
      </Stack>
    </>
  );
}

/** The run whose weights this one goes on from, if it is still there. */
function Parent({ id }: { id: string }) {
  const { data: parent } = useLiveSummary(id);
  if (!parent) return null;
  return (
    <span>
      goes on from{" "}
      <Anchor component={Link} to={`/runs/${parent.id}`} inherit>
        {titleOf(parent)}
      </Anchor>
    </span>
  );
}

/** What else there is to a run, a tab each. */
function Details({ run }: { run: RunSummary }) {
  const [tab, setTab] = useTab("tab", tabs);
  const record = useRecord(run.id);
  const { data: checkpoints = [] } = useCheckpoints(run.id);
  const { data: options } = useRunOptions(run.id);
  const { data: detail } = useRun(run.id);
  const alerts = useAlerts(run.id, record);
  const prompt = flat(options)["sample.prompt"];
  const counts: Partial<Record<(typeof TABS)[number], number>> = {
    samples: record.notes.filter(({ kind }) => kind === "sample").length,
    checkpoints: checkpoints.length,
    alerts: alerts.length,
  };
  return (
    <Tabs value={tab} onChange={(value) => setTab(tabs.read(value))} keepMounted={false}>
      <Tabs.List mb="md" aria-label="More about this run">
        {TABS.map((name) => (
          <Tabs.Tab
            key={name}
            value={name}
            rightSection={
              counts[name] ? (
                <Badge size="sm" variant="default" circle={counts[name] < 10}>
                  {counts[name]}
                </Badge>
              ) : undefined
            }
          >
            {name}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <Tabs.Panel value="samples">
        <Samples notes={record.notes} prompt={typeof prompt === "string" ? prompt : ""} />
        <Seen place="samples" facts={() => ({ samples: counts.samples, checkpoints: checkpoints.length })} />
      </Tabs.Panel>
      <Tabs.Panel value="checkpoints">
        {checkpoints.length > 0 ? (
          <CheckpointTable run={run} checkpoints={checkpoints} />
        ) : (
          <EmptyState title="No checkpoints">
            {run.save
              ? "The first one comes with the first evaluation."
              : "This run keeps none by itself: press Save now while it trains."}
          </EmptyState>
        )}
      </Tabs.Panel>
      <Tabs.Panel value="alerts">
        <Alerts alerts={alerts} />
      </Tabs.Panel>
      <Tabs.Panel value="weights">
        <Weights
          run={run.id}
          evaluations={record.tracks.val_loss?.steps.length ?? 0}
          alive={run.state === "running" || run.state === "queued"}
        />
      </Tabs.Panel>
      <Tabs.Panel value="speed">
        <Speed run={run.id} trains={run.state === "running"} />
      </Tabs.Panel>
      <Tabs.Panel value="log">
        <Log run={run.id} alive={run.state === "running" || run.state === "queued"} />
      </Tabs.Panel>
      <Tabs.Panel value="config">
        <ConfigTable config={options} command={detail?.command ?? null} />
      </Tabs.Panel>
    </Tabs>
  );
}

function about(run: RunSummary): string {
  const parts = [run.model && `${run.model} model`, run.corpus && `on ${run.corpus}`, run.path];
  return parts.filter(Boolean).join(", ");
}
