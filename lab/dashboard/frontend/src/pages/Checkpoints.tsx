import { Anchor, Loader, Stack, Text, Title } from "@mantine/core";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useLayoutEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { textParam, useParam } from "@/address/useParam";
import { PAGE, usePages } from "@/api/lists";
import { useCheckpoints } from "@/api/runs";
import type { Checkpoint, RunSummary } from "@/api/types";
import { EmptyState } from "@/components/EmptyState";
import { ErrorNote } from "@/components/ErrorNote";
import { Computed } from "@/components/figures/Computed";
import { PageHead } from "@/components/PageHead";
import { titleOf } from "@/components/run/naming";
import { RunSelect } from "@/components/run/RunSelect";
import { bytes } from "@/components/words";
import { useShown } from "@/live/hooks";
import { useLiveSummary } from "@/live/summaries";
import { CheckpointTable } from "./checkpoints/CheckpointTable";

const runParam = textParam();
const WITH_SOME = { q: "checkpoints>0" };

export default function Checkpoints() {
  const [chosen, setChosen] = useParam("run", runParam);
  const { data: run, known } = useLiveSummary(chosen);
  return (
    <>
      <PageHead
        title="Checkpoints"
        lead="Models as they were at a step: talk to one, look into it, go on from it with other options."
      />
      <Stack gap="lg">
        <RunSelect
          label="Run"
          placeholder="All runs"
          run={chosen}
          onRun={setChosen}
          among={WITH_SOME.q}
          clearable
          maw={440}
        />
        {chosen === "" ? <All /> : run ? <Section run={run} alone /> : known ? <None /> : <Loader />}
      </Stack>
    </>
  );
}

const SECTION = 280; // pixels of a run with three checkpoints; each is measured when it is drawn

/** The runs that have any, the newest first; only those on the screen are drawn, and asked for theirs. */
function All() {
  const place = useRef<HTMLDivElement>(null);
  const [count, setCount] = useState(0);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    if (place.current) setTop(place.current.getBoundingClientRect().top + window.scrollY);
  }, [count]);
  const virtual = useWindowVirtualizer({ count, estimateSize: () => SECTION, overscan: 2, scrollMargin: top });
  const items = virtual.getVirtualItems();
  const first = Math.floor((items[0]?.index ?? 0) / PAGE);
  const last = Math.floor((items.at(-1)?.index ?? 0) / PAGE);
  const pages = usePages(
    WITH_SOME,
    Array.from({ length: last - first + 1 }, (_, at) => first + at),
  );
  const answered = pages.find(({ data }) => data)?.data;
  if (answered && answered.matching !== count) setCount(answered.matching);
  const runAt = (index: number) => pages[Math.floor(index / PAGE) - first]?.data?.rows[index % PAGE];
  useShown(items.flatMap(({ index }) => runAt(index)?.id ?? []));
  const error = pages.find((page) => page.error)?.error;
  if (error && !answered) return <ErrorNote error={error} onRetry={() => void pages[0]?.refetch()} />;
  if (!answered && count === 0) return <Loader aria-label="Loading the checkpoints" />;
  if (count === 0) return <None />;
  return (
    <div ref={place} style={{ position: "relative", height: virtual.getTotalSize() }}>
      {items.map(({ index, start }) => {
        const run = runAt(index);
        return (
          <div
            key={run?.id ?? index}
            data-index={index}
            ref={virtual.measureElement}
            style={{ position: "absolute", top: start - top, left: 0, right: 0, paddingBottom: 24 }}
          >
            {run ? <Section run={run} /> : <div style={{ height: SECTION }} />}
          </div>
        );
      })}
    </div>
  );
}

function None() {
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

const FIRST = 8; // of a run with many, in the list of all runs

function Section({ run, alone = false }: { run: RunSummary; alone?: boolean }) {
  const { data: found, error, refetch } = useCheckpoints(run.id);
  if (found?.length === 0 && alone) return <None />;
  const shown = alone ? found : found?.slice(-FIRST);
  const hidden = (found?.length ?? 0) - (shown?.length ?? 0);
  return (
    <section>
      <Title order={2} mb={4}>
        <Anchor component={Link} to={`/runs/${run.id}`} inherit>
          {titleOf(run)}
        </Anchor>
      </Title>
      <Text size="sm" c="dimmed" mb="xs" component="div">
        {found ? (
          <>
            {found.length === 1 ? "1 checkpoint" : `${found.length} checkpoints`},{" "}
            <Computed of="checkpoints.all">{bytes(onDisk(found))}</Computed>
          </>
        ) : (
          "…"
        )}
        {hidden > 0 && (
          <>
            {"; the last "}
            {FIRST} are shown,{" "}
            <Anchor component={Link} to={`/checkpoints?run=${run.id}`} inherit>
              all of them here
            </Anchor>
          </>
        )}
      </Text>
      {error && <ErrorNote error={error} onRetry={() => void refetch()} />}
      <CheckpointTable run={run} checkpoints={shown ?? []} />
    </section>
  );
}

/** Bytes of the files: one with two names takes the room of one. */
function onDisk(found: Checkpoint[]): number {
  return found.reduce((sum, one) => sum + (one.same_as === null ? one.bytes : 0), 0);
}
