import { Anchor, Loader, Select, Stack, Text, Title } from "@mantine/core";
import { Link } from "react-router";
import { textParam, useParam } from "@/address/useParam";
import { useCheckpointsOf, useRuns } from "@/api/runs";
import type { Checkpoint, RunSummary } from "@/api/types";
import { titleOf } from "@/components/run/naming";
import { EmptyState } from "@/components/EmptyState";
import { ErrorNote } from "@/components/ErrorNote";
import { Computed } from "@/components/figures/Computed";
import { bytes } from "@/components/words";
import { PageHead } from "@/components/PageHead";
import { CheckpointTable } from "./checkpoints/CheckpointTable";

const runParam = textParam();

export default function Checkpoints() {
  const { data: runs, error, refetch } = useRuns();
  const [chosen, setChosen] = useParam("run", runParam);
  if (error && !runs) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  if (!runs) return <Loader aria-label="Loading the runs" />;
  const shown = chosen ? runs.filter((run) => run.id === chosen) : runs;
  return (
    <>
      <PageHead
        title="Checkpoints"
        lead="Models as they were at a step: talk to one, look into it, go on from it with other options."
      />
      <Stack gap="lg">
        <Select
          label="Run"
          placeholder="All runs"
          data={runs.map((run) => ({ value: run.id, label: titleOf(run) }))}
          value={chosen || null}
          onChange={(value) => setChosen(value ?? "")}
          clearable
          searchable
          maw={440}
        />
        <Lists runs={shown} />
      </Stack>
    </>
  );
}

function Lists({ runs }: { runs: RunSummary[] }) {
  const lists = useCheckpointsOf(runs.map((run) => run.id));
  if (lists.some(({ isPending }) => isPending)) return <Loader aria-label="Loading the checkpoints" />;
  const filled = runs
    .map((run, at) => ({ run, found: lists[at]?.data ?? [], error: lists[at]?.error ?? null }))
    .filter(({ found, error }) => found.length > 0 || error);
  if (filled.length === 0) {
    return (
      <EmptyState title="No checkpoints">
        A run keeps its weights only with <code>save=true</code> (a switch on the page{" "}
        <Anchor component={Link} to="/new">
          New run
        </Anchor>
        ), or when you press Save now while it trains.
      </EmptyState>
    );
  }
  return filled.map(({ run, found, error }) => (
    <section key={run.id}>
      <Title order={2} mb={4}>
        <Anchor component={Link} to={`/runs/${run.id}`} inherit>
          {titleOf(run)}
        </Anchor>
      </Title>
      <Text size="sm" c="dimmed" mb="xs" component="div">
        {found.length === 1 ? "1 checkpoint" : `${found.length} checkpoints`},{" "}
        <Computed of="checkpoints.all">{bytes(onDisk(found))}</Computed>
      </Text>
      {error && <ErrorNote error={error} />}
      <CheckpointTable run={run} checkpoints={found} />
    </section>
  ));
}

/** Bytes of the files: one with two names takes the room of one. */
function onDisk(found: Checkpoint[]): number {
  return found.reduce((sum, one) => sum + (one.same_as === null ? one.bytes : 0), 0);
}
