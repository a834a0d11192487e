import { Stack, Text } from "@mantine/core";
import { useMemo } from "react";
import type { Resolved } from "@/api/types";
import { CopyLine } from "@/components/CopyLine";
import { Curve } from "@/components/curve";
import { brief } from "@/components/curve/points";
import { bytes, people } from "@/components/words";
import classes from "./Estimate.module.css";

/** What the options come to, before anything is trained. */
export function Estimate({ resolved, stale }: { resolved: Resolved; stale: boolean }) {
  const series = useMemo(
    () => [{ id: "learning_rate", label: "learning rate", style: 2, x: resolved.curve.steps, y: resolved.curve.values }],
    [resolved.curve],
  );
  return (
    <Stack gap="md" aria-busy={stale} style={{ opacity: stale ? 0.6 : 1 }} data-testid="estimate">
      <dl className={classes.figures}>
        <Figure name="Parameters" value={people(resolved.parameters)} exact={resolved.parameters.toLocaleString("en")} />
        <Figure name="Memory while training" value={resolved.memory === null ? "–" : `about ${bytes(resolved.memory)}`} />
        <Figure name="Tokens a step" value={resolved.tokens_per_step.toLocaleString("en")} />
        <Figure name="Steps" value={resolved.total_steps === null ? "known when the text is" : resolved.total_steps.toLocaleString("en")} />
      </dl>
      {resolved.curve.steps.length > 1 && (
        <Curve
          title="Learning rate to be"
          hint="A short rise, because Adam's first estimates are poor; then a long descent, to settle."
          series={series}
          xLabel="optimizer steps"
          height={180}
        />
      )}
      <div>
        <Text size="sm" fw={600} mb={4}>
          The same from a terminal
        </Text>
        <CopyLine text={resolved.command} label="command line" />
      </div>
      {resolved.total_steps !== null && (
        <Text size="sm" c="dimmed">
          In all {brief(resolved.total_steps * resolved.tokens_per_step)} tokens: {brief((resolved.total_steps * resolved.tokens_per_step) / resolved.parameters)} for each
          parameter.
        </Text>
      )}
    </Stack>
  );
}

function Figure({ name, value, exact }: { name: string; value: string; exact?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd title={exact}>{value}</dd>
    </div>
  );
}
