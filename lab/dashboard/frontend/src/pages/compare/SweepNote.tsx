import { Alert, Button, Group, Text } from "@mantine/core";
import { IconArrowsSplit } from "@tabler/icons-react";
import { useState } from "react";
import { useStopSweep, useSweeps } from "@/api/sweeps";
import type { RunSummary } from "@/api/types";
import { unsaved } from "@/components/run/StopRun";
import { CopyLine } from "@/components/CopyLine";
import { Confirm } from "@/components/Confirm";
import { ErrorNote } from "@/components/ErrorNote";

/** How far a sweep is, and the button that ends it. */
export function SweepNote({ sweep, members }: { sweep: string; members: RunSummary[] }) {
  const finished = members.filter(({ state }) => state === "finished").length;
  // Asked for again whenever a run of it has come or ended: the live connection tells of runs, not of sweeps.
  const { data: sweeps } = useSweeps(`${members.length} ${finished}`);
  const stop = useStopSweep();
  const [asking, setAsking] = useState(false);
  const lost = members.reduce((most, run) => Math.max(most, unsaved(run)), 0);
  const info = sweeps?.find(({ id }) => id === sweep);
  if (!info) return null;
  return (
    <Alert
      variant="outline"
      icon={<IconArrowsSplit aria-hidden />}
      title={info.name || "A sweep"}
      data-testid="sweep-note"
    >
      <Group justify="space-between" mb="xs">
        <Text size="sm">
          {info.state}: {members.length === 1 ? "1 run has" : `${members.length} runs have`} begun, {finished} of them
          finished.
        </Text>
        {info.state !== "ended" && (
          <Button
            size="xs"
            variant="default"
            loading={stop.isPending}
            onClick={() => (lost > 0 ? setAsking(true) : stop.mutate(sweep))}
          >
            Stop the sweep
          </Button>
        )}
      </Group>
      <CopyLine text={info.command} label="command that starts the sweep" />
      {stop.error && <ErrorNote error={stop.error} />}
      <Confirm
        opened={asking}
        title="Stop and lose the weights of its run?"
        verb="Stop the sweep"
        safe="Let it train"
        busy={stop.isPending}
        error={stop.error}
        onClose={() => setAsking(false)}
        onConfirm={() => stop.mutate(sweep, { onSuccess: () => setAsking(false) })}
      >
        The run in progress keeps no checkpoints: what it has learnt in {lost.toLocaleString("en")} steps is gone when
        the sweep ends. To keep it, press Save now on that run first.
      </Confirm>
    </Alert>
  );
}
