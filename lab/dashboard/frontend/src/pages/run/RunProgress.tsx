import { Group, Progress, Text } from "@mantine/core";
import type { RunSummary } from "@/api/types";
import { brief } from "@/series/points";
import { finite } from "@/live/record";
import { count, duration, loss } from "@/components/words";
import classes from "./RunProgress.module.css";

/** How far the run is, how long it will take, and its figures of the moment. */
export function RunProgress({ run }: { run: RunSummary }) {
  const share = run.total_steps ? (100 * run.step) / run.total_steps : 0;
  const alive = run.state === "running";
  const left = secondsLeft(run);
  return (
    <section className={classes.progress} aria-label="Progress">
      <Group justify="space-between" mb={6} gap="xs">
        <Text fw={600} data-testid="run-step" data-step={run.step}>
          Step {run.step.toLocaleString("en")}
          {run.total_steps !== null && ` of ${run.total_steps.toLocaleString("en")}`}
        </Text>
        <Text c="dimmed" size="sm">
          {alive && left !== null ? `about ${duration(left)} left` : `${Math.round(share)}%`}
        </Text>
      </Group>
      <Progress value={share} size="md" aria-label="Steps done" animated={alive} striped={alive} />
      <dl className={classes.figures}>
        <Figure name="Training loss" value={loss(run.train_loss)} />
        <Figure name="Validation loss" value={loss(run.val_loss)} />
        <Figure name="Best validation" value={loss(run.best_val_loss)} />
        <Figure name="Perplexity" value={perplexity(run.val_loss)} />
        <Figure name="Tokens/s" value={count(run.tokens_per_second)} />
        <Figure name="Tokens seen" value={run.tokens_per_step === null ? "–" : brief(run.step * run.tokens_per_step)} />
      </dl>
    </section>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div className={classes.figure}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** Training time only: evaluations come on top. */
function secondsLeft(run: RunSummary): number | null {
  const rate = finite(run.tokens_per_second);
  if (!run.total_steps || !rate || run.tokens_per_step === null) return null;
  return ((run.total_steps - run.step) * run.tokens_per_step) / rate;
}

function perplexity(loss: RunSummary["val_loss"]): string {
  return typeof loss === "number" ? brief(Math.exp(loss)) : (loss ?? "–");
}
