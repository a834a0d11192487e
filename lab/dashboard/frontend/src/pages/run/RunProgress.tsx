import { Group, Progress, Text } from "@mantine/core";
import type { RunSummary } from "@/api/types";
import { Computed, Tile } from "@/components/figures/Computed";
import { brief } from "@/series/points";
import { finite, type RunRecord } from "@/live/record";
import { count, duration, loss } from "@/components/words";
import classes from "./RunProgress.module.css";

/** How far the run is, how long it will take, and its figures of the moment. */
export function RunProgress({ run, record }: { run: RunSummary; record: RunRecord }) {
  const share = run.total_steps ? (100 * run.step) / run.total_steps : 0;
  const alive = run.state === "running";
  const ended = !["queued", "running", "paused", "stopping"].includes(run.state);
  const left = secondsLeft(run);
  const latest = (name: string) => record.tracks[name]?.values.at(-1);
  const [bits, passes] = [latest("val_bits_per_byte"), latest("epoch")];
  return (
    <section className={classes.progress} aria-label="Progress">
      <Group justify="space-between" mb={6} gap="xs">
        <Text fw={600} data-testid="run-step" data-step={run.step}>
          Step {run.step.toLocaleString("en")}
          {run.total_steps !== null && ` of ${run.total_steps.toLocaleString("en")}`}
        </Text>
        <Text c="dimmed" size="sm" component="div">
          {alive && left !== null ? (
            <Computed of="run.time_left">about {duration(left)} left</Computed>
          ) : (
            run.total_steps !== null && <Computed of="run.progress">{Math.round(share)}%</Computed>
          )}
        </Text>
      </Group>
      {run.total_steps !== null && (
        <Progress value={share} size="md" aria-label="Steps done" animated={alive} striped={alive} />
      )}
      <dl className={classes.figures}>
        <Tile of="run.train_loss" value={loss(run.train_loss)} />
        <Tile of="run.val_loss" value={loss(run.val_loss)} />
        <Tile of="run.best_val_loss" value={loss(run.best_val_loss)} />
        <Tile of="run.perplexity" value={perplexity(run.val_loss)} />
        <Tile of="run.bits_per_byte" value={loss(bits)} />
        <Tile of={ended ? "run.speed_mean" : "run.speed_now"} value={count(run.tokens_per_second)} />
        <Tile of="run.tokens_seen" value={run.tokens_per_step === null ? "–" : brief(run.step * run.tokens_per_step)} />
        <Tile of="run.passes" value={passes === null || passes === undefined ? "–" : brief(passes)} />
      </dl>
    </section>
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
