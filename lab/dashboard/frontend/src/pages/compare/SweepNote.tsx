import { Alert, Button, Group, Text } from "@mantine/core";
import { IconArrowsSplit } from "@tabler/icons-react";
import { useStopSweep, useSweeps } from "@/api/sweeps";
import type { RunSummary } from "@/api/types";
import { CopyLine } from "@/components/CopyLine";
import { ErrorNote } from "@/components/ErrorNote";

/** How far a sweep is, and the button that ends it. */
export function SweepNote({ sweep, members }: { sweep: string; members: RunSummary[] }) {
  const finished = members.filter(({ state }) => state === "finished").length;
  // Asked for again whenever a run of it has come or ended: the live connection tells of runs, not of sweeps.
  const { data: sweeps } = useSweeps(`${members.length} ${finished}`);
  const stop = useStopSweep();
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
          <Button size="xs" variant="default" loading={stop.isPending} onClick={() => stop.mutate(sweep)}>
            Stop the sweep
          </Button>
        )}
      </Group>
      <CopyLine text={info.command} label="command that starts the sweep" />
      {stop.error && <ErrorNote error={stop.error} />}
    </Alert>
  );
}
