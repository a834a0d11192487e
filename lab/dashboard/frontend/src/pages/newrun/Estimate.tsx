import { Stack, Text } from "@mantine/core";
import { useMemo } from "react";
import type { Resolved } from "@/api/types";
import { CopyLine } from "@/components/CopyLine";
import { Curve } from "@/components/curve";
import { brief } from "@/series/points";
import { bytes, people } from "@/components/words";
import classes from "./Estimate.module.css";

interface Props {
  resolved: Resolved;
  stale: boolean;
}

/** What the options come to in figures, before anything is trained. */
export function Estimate({ resolved: { sizes, length }, stale }: Props) {
  return (
    <div aria-busy={stale} style={{ opacity: stale ? 0.6 : 1 }} data-testid="estimate">
      {sizes && (
        <dl className={classes.figures}>
          <Figure
            name="Parameters"
            value={people(sizes.parameters)}
            more={`${people(sizes.without_embeddings)} without embeddings`}
          />
          <Figure
            name="Memory while training"
            value={`about ${bytes(total(sizes.memory))}`}
            more={parts(sizes.memory)}
          />
          {length && (
            <>
              <Figure
                name="Tokens a step"
                value={length.tokens_per_step.toLocaleString("en")}
                more="over all micro-batches"
              />
              <Figure
                name="Steps"
                value={length.total_steps.toLocaleString("en")}
                more={`${brief(length.epochs)} passes over ${people(length.corpus_tokens)} tokens${length.exact ? "" : ", about"}`}
              />
            </>
          )}
        </dl>
      )}
    </div>
  );
}

/** How the learning rate will move, and what one would type for the same. */
export function Outline({ resolved: { learning_rate: rate, command }, stale }: Props) {
  const series = useMemo(
    () => (rate ? [{ id: "learning_rate", label: "learning rate", style: 2, x: rate.steps, y: rate.values }] : []),
    [rate],
  );
  return (
    <Stack gap="md" aria-busy={stale} style={{ opacity: stale ? 0.6 : 1 }}>
      {series.length > 0 && (
        <Curve
          title="Learning rate to be"
          hint="A short rise, because Adam's first estimates are poor; then a descent, to settle."
          series={series}
          xLabel="optimizer steps"
          height={170}
          small
        />
      )}
      {command !== null && (
        <div>
          <Text size="sm" fw={600} mb={4}>
            The same from a terminal
          </Text>
          <CopyLine text={command} label="command line" />
        </div>
      )}
    </Stack>
  );
}

function Figure({ name, value, more }: { name: string; value: string; more: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        <small>{more}</small>
      </dd>
    </div>
  );
}

function total(memory: Record<string, number>): number {
  return Object.values(memory).reduce((sum, part) => sum + part, 0);
}

/** The largest part, by name. */
function parts(memory: Record<string, number>): string {
  const [largest] = Object.entries(memory).sort(([, one], [, other]) => other - one);
  return largest ? `most of it ${largest[0].replaceAll("_", " ")}` : "";
}
