import { Text, Title, UnstyledButton } from "@mantine/core";
import {
  IconDeviceFloppy,
  IconEdit,
  IconMessage2,
  IconMicroscope,
  IconPlayerTrackNext,
  type IconProps,
} from "@tabler/icons-react";
import type { ComponentType } from "react";
import { Link } from "react-router";
import type { Checkpoint, RunSummary } from "@/api/types";
import { useAgainWithChanges } from "@/components/run/again";
import { ErrorNote } from "@/components/ErrorNote";
import classes from "./NextSteps.module.css";

interface Props {
  run: RunSummary;
  checkpoints: Checkpoint[];
}

/** What one may want of a run that has ended: to use its model, to train it longer, to try something else. */
export function NextSteps({ run, checkpoints }: Props) {
  const change = useAgainWithChanges(run.id);
  const ended = !["queued", "running", "paused", "stopping"].includes(run.state);
  const last = latest(checkpoints);
  // The list of checkpoints is asked for by itself, and may not know yet what the run has saved at its end.
  const behind = (run.saved_step ?? -1) > (last?.step ?? -1);
  if (!ended || behind || (!last && !run.actions.includes("again"))) return null;
  const place = last && `run=${encodeURIComponent(run.id)}&checkpoint=${encodeURIComponent(last.id)}`;
  const again = run.actions.includes("again");
  return (
    <section aria-label="What next" data-testid="next-steps">
      <Title order={2} mb="xs">
        What next
      </Title>
      {!last && (
        <Text size="sm" c="dimmed" mb="xs">
          This run has kept no weights: it can neither write nor be looked into.
        </Text>
      )}
      <div className={classes.steps}>
        {place && (
          <>
            <Step to={`/playground?${place}`} icon={IconMessage2} title="Let it write">
              Give it the beginning of a text.
            </Step>
            <Step to={`/inside?${place}`} icon={IconMicroscope} title="Look inside">
              See what its heads and layers do.
            </Step>
          </>
        )}
        {last && run.actions.includes("fork") && (
          <Step to={longer(run, last)} icon={IconPlayerTrackNext} title="Train longer">
            A new run goes on from step {last.step?.toLocaleString("en") ?? "…"}.
          </Step>
        )}
        {!last && again && (
          <Step onClick={() => change.mutate({ save: "true" })} icon={IconDeviceFloppy} title="Run again and keep it">
            The same options, with checkpoints.
          </Step>
        )}
        {again && (
          <Step onClick={() => change.mutate({})} icon={IconEdit} title="Run again with changes">
            Its options, in the form of a new run.
          </Step>
        )}
      </div>
      {change.error && <ErrorNote error={change.error} />}
    </section>
  );
}

interface StepProps {
  to?: string;
  onClick?: () => void;
  icon: ComponentType<IconProps>;
  title: string;
  children: string | (string | number)[];
}

function Step({ to, onClick, icon: Icon, title, children }: StepProps) {
  const inner = (
    <>
      <Icon size={20} aria-hidden />
      <span>
        <Text span fw={600} display="block">
          {title}
        </Text>
        <Text span size="sm" c="dimmed">
          {children}
        </Text>
      </span>
    </>
  );
  return to === undefined ? (
    <UnstyledButton className={classes.step} onClick={onClick}>
      {inner}
    </UnstyledButton>
  ) : (
    <Link className={classes.step} to={to}>
      {inner}
    </Link>
  );
}

/** The checkpoint of the last step. */
function latest(checkpoints: Checkpoint[]): Checkpoint | null {
  return checkpoints.reduce<Checkpoint | null>(
    (found, one) => (found === null || (one.step ?? -1) >= (found.step ?? -1) ? one : found),
    null,
  );
}

/** The form for a run that goes on from there, and takes as many steps again. */
function longer(run: RunSummary, { id, step }: Checkpoint): string {
  const steps = (step ?? run.step) + Math.max(1, run.total_steps ?? run.step);
  const set = encodeURIComponent(`trainer.max_steps=${steps}`);
  return `/new?fork=${encodeURIComponent(id)}&from=${encodeURIComponent(run.id)}&set=${set}`;
}
