import { Button, Group, Loader, Stack, Text } from "@mantine/core";
import { useMeasure, useProfile } from "@/api/runs";
import type { StepProfile } from "@/api/types";
import { ErrorNote } from "@/components/ErrorNote";
import { Figure } from "@/components/Figure";
import { portion } from "@/components/words";
import { finite } from "@/live/record";
import { Seen } from "@/pages/questions/Seen";
import classes from "./Speed.module.css";

/** Where the time of an optimizer step goes: measured when somebody asks, for it takes the machine for a while. */
export function Speed({ run, trains }: { run: string; trains: boolean }) {
  const { data: found, error, isPending, refetch } = useProfile(run);
  const measure = useMeasure(run);
  if (error) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  if (isPending) return <Loader aria-label="Loading the profile" size="sm" />;
  return (
    <Stack gap="md" data-testid="speed">
      {found ? (
        <Parts found={found} />
      ) : (
        <Text>
          A dozen steps with this run’s options are taken under a profiler. Nothing of the run changes, and nothing but
          the figures is kept.
        </Text>
      )}
      {measure.error && <ErrorNote error={measure.error} />}
      <Group>
        <Button variant={found ? "default" : "filled"} loading={measure.isPending} onClick={() => measure.mutate()}>
          {found ? "Measure again" : "Measure where the time goes"}
        </Button>
        <Text size="sm" c="dimmed">
          {measure.isPending
            ? "Some seconds for a small model, minutes for a large one."
            : trains
              ? "This run trains now: both will be slower while it is measured."
              : ""}
        </Text>
      </Group>
      <Seen place="profile" />
    </Stack>
  );
}

function Parts({ found }: { found: StepProfile }) {
  const parts = [...found.parts].sort((one, other) => value(other.seconds) - value(one.seconds));
  const longest = value(parts[0]?.seconds) || 1;
  const [first] = parts;
  const step = value(found.plain_seconds);
  const sentence = `A step of ${found.tokens.toLocaleString("en")} tokens takes ${time(step)} (${found.precision}, ${found.device}${found.compiled ? ", compiled" : ""}): ${Math.round(found.tokens / step).toLocaleString("en")} tokens/s, ${portion(value(found.products) / step)} of the speed of its matrix products alone.`;
  return (
    <Figure
      title="Where the time of a step goes"
      hint={sentence}
      summary={`${sentence} ${first ? `The longest part is ${first.part}, ${portion(value(first.share))}.` : ""}`}
      numbers={() => ({
        columns: ["part", "seconds", "share", "FLOP", "seconds of its products alone"],
        rows: parts.map((one) => [one.part, one.seconds, one.share, one.flops, one.products]),
      })}
    >
      {() => (
        <>
          <div className={classes.parts} role="list">
            {parts.map((one) => (
              <Row key={one.part} part={one} longest={longest} />
            ))}
          </div>
          <Text size="xs" c="dimmed" mt="sm">
            Dark: what the part’s matrix products take when they are run alone, the least that it could take on this
            machine. The rest is what surrounds them: memory that is read and written, and many small operations.
          </Text>
        </>
      )}
    </Figure>
  );
}

function Row({ part, longest }: { part: StepProfile["parts"][number]; longest: number }) {
  const wide = (seconds: number) => `${(100 * Math.min(seconds, longest)) / longest}%`;
  return (
    <div role="listitem" style={{ display: "contents" }}>
      <span>{part.part}</span>
      <span className={classes.track} aria-hidden>
        <span className={classes.time} style={{ width: wide(value(part.seconds)) }} />
        {part.products !== null && (
          <span
            className={classes.products}
            style={{ width: wide(Math.min(value(part.products), value(part.seconds))) }}
          />
        )}
      </span>
      <span className={classes.value}>
        {time(value(part.seconds))}, {portion(value(part.share))}
      </span>
    </div>
  );
}

function value(number: StepProfile["seconds"] | null | undefined): number {
  return finite(number ?? null) ?? 0;
}

function time(seconds: number): string {
  return seconds < 1 ? `${(1000 * seconds).toPrecision(3)} ms` : `${seconds.toPrecision(3)} s`;
}
