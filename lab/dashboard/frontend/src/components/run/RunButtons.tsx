import { Button, Group } from "@mantine/core";
import {
  IconDeviceFloppy,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
  IconRotateClockwise,
  IconTarget,
  IconTrash,
  type IconProps,
} from "@tabler/icons-react";
import { useState, type ComponentType } from "react";
import { useNavigate } from "react-router";
import type { Command, RunSummary } from "@/api/types";
import { ErrorNote } from "@/components/ErrorNote";
import { WAITING } from "@/live/commands";
import { useCommand } from "@/live/useCommand";
import { useAgain } from "./again";
import { DeleteRun } from "./DeleteRun";
import { titleOf } from "./naming";
import { RunEdit } from "./RunEdit";
import { StopRun, unsaved } from "./StopRun";
import { isTooLarge, Refused } from "./TooLarge";

const BUTTONS: { command: Command; word: string; icon: ComponentType<IconProps>; hint: string }[] = [
  { command: "pause", word: "Pause", icon: IconPlayerPause, hint: "Holds the run after the step in progress" },
  { command: "resume", word: "Resume", icon: IconPlayerPlay, hint: "Goes on where it is" },
  { command: "evaluate", word: "Evaluate now", icon: IconTarget, hint: "Measures the validation loss after this step" },
  { command: "save", word: "Save now", icon: IconDeviceFloppy, hint: "Writes a checkpoint after this step" },
  { command: "stop", word: "Stop", icon: IconPlayerStop, hint: "Ends the run after the step in progress" },
];

/** What can be done with a run now, by the server's own word. */
export function RunButtons({ run }: { run: RunSummary }) {
  return (
    <Group gap="xs" align="flex-start">
      <Steering run={run} />
      {run.actions.includes("again") && !run.actions.includes("resume") && <Again run={run} />}
      <Keeping run={run} />
    </Group>
  );
}

/** Steers a run. A button says "pausing…" until the trainer itself has said that it is paused. */
function Steering({ run }: { run: RunSummary }) {
  const { send, waiting, overdue, error, forget } = useCommand(run);
  const [asking, setAsking] = useState(false);
  const shown = BUTTONS.filter(({ command }) => run.actions.includes(command) || waiting === command);
  return (
    <>
      {shown.length > 0 && (
        <Group gap="xs" role="group" aria-label={`Steer ${titleOf(run)}`}>
          {shown.map(({ command, word, icon: Icon, hint }) => (
            <Button
              key={command}
              variant="default"
              size="sm"
              leftSection={<Icon size={16} aria-hidden />}
              title={hint}
              disabled={waiting !== null && !overdue}
              aria-busy={waiting === command}
              data-testid={`button-${command}`}
              onClick={() => (command === "stop" && unsaved(run) > 0 ? setAsking(true) : send(command))}
            >
              {waiting === command ? WAITING[command] : word}
            </Button>
          ))}
        </Group>
      )}
      <span className="visually-hidden" role="status">
        {waiting ? WAITING[waiting] : `${titleOf(run)} is ${run.state}`}
      </span>
      {error !== null && !isTooLarge(error) && <ErrorNote error={error} />}
      <Refused
        error={error}
        busy={waiting !== null}
        onConfirm={() => send("resume", { confirmed: true })}
        onClose={forget}
      />
      <StopRun
        run={run}
        opened={asking && run.actions.includes("stop")}
        onClose={() => setAsking(false)}
        onStop={(how) => {
          setAsking(false);
          send("stop", how);
        }}
      />
    </>
  );
}

function Again({ run }: { run: RunSummary }) {
  const again = useAgain(run.id);
  return (
    <>
      <Button
        variant="default"
        size="sm"
        leftSection={<IconRotateClockwise size={16} aria-hidden />}
        title="A new run with the same options, in a folder of its own"
        loading={again.isPending}
        onClick={() => again.mutate(false)}
        data-testid="button-again"
      >
        Start again
      </Button>
      {again.error && !isTooLarge(again.error) && <ErrorNote error={again.error} />}
      <Refused error={again.error} busy={again.isPending} onConfirm={() => again.mutate(true)} onClose={again.reset} />
    </>
  );
}

/** Its name, and whether it stays. */
function Keeping({ run }: { run: RunSummary }) {
  const [asked, setAsked] = useState<"edit" | "delete" | null>(null);
  const navigate = useNavigate();
  const close = () => setAsked(null);
  const deletable = run.actions.includes("delete");
  return (
    <>
      <Button
        variant="default"
        size="sm"
        leftSection={<IconPencil size={16} aria-hidden />}
        onClick={() => setAsked("edit")}
      >
        Name and tags
      </Button>
      {deletable && (
        <Button
          variant="outline"
          color="red"
          size="sm"
          leftSection={<IconTrash size={16} aria-hidden />}
          onClick={() => setAsked("delete")}
          styles={{ root: { color: "var(--lab-bad)", borderColor: "var(--lab-bad)" } }}
        >
          Delete
        </Button>
      )}
      <RunEdit run={run} opened={asked === "edit"} onClose={close} />
      <DeleteRun run={run} opened={asked === "delete"} onClose={close} onDeleted={() => void navigate("/runs")} />
    </>
  );
}
