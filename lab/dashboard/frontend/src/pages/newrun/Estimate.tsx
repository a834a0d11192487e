import { Stack, Text } from "@mantine/core";
import { useMemo } from "react";
import type { Resolved } from "@/api/types";
import { CopyLine } from "@/components/CopyLine";
import { Curve } from "@/components/curve";
import { Tile } from "@/components/figures/Computed";
import { brief } from "@/series/points";
import { bytes, people } from "@/components/words";
import classes from "./Estimate.module.css";
import { rateInWords } from "./rateInWords";

interface Props {
  resolved: Resolved;
  stale: boolean;
}

/** What the options come to in figures, before anything is trained. */
export function Estimate({ resolved: { sizes, length }, stale }: Props) {
  return (
    <div aria-busy={stale} data-testid="estimate">
      {sizes && (
        <dl className={classes.figures}>
          <Tile
            of="new.parameters"
            value={people(sizes.parameters)}
            more={`${people(sizes.without_embeddings)} without embeddings`}
          />
          <Tile of="new.memory" value={`about ${bytes(total(sizes.memory))}`} more={parts(sizes.memory)} />
          {length && (
            <>
              <Tile
                of="new.tokens_per_step"
                value={length.tokens_per_step.toLocaleString("en")}
                more="over all micro-batches"
              />
              <Tile
                of="new.training_text"
                value={`${length.exact ? "" : "about "}${people(length.training_tokens)} tokens`}
                more={`of ${people(length.corpus_tokens)}; ${people(length.validation_tokens)} validate`}
              />
              <Tile
                of="new.steps"
                value={length.total_steps.toLocaleString("en")}
                more={`${length.exact ? "" : "about "}${brief(length.epochs)} passes over ${people(length.n_windows)} windows of ${length.window_tokens.toLocaleString("en")} tokens`}
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
    <Stack gap="md" aria-busy={stale}>
      {series.length > 0 && (
        <Curve
          title="Learning rate to be"
          hint={rateInWords(rate?.values ?? [])}
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

function total(memory: Record<string, number>): number {
  return Object.values(memory).reduce((sum, part) => sum + part, 0);
}

/** The largest part, by name. */
function parts(memory: Record<string, number>): string {
  const [largest] = Object.entries(memory).sort(([, one], [, other]) => other - one);
  return largest ? `most of it ${largest[0].replaceAll("_", " ")}` : "";
}
