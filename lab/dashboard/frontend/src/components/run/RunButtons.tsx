import { Button, Group } from "@mantine/core";
import {
  IconDeviceFloppy,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlayerStop,
  IconTarget,
  type IconProps,
} from "@tabler/icons-react";
import type { ComponentType } from "react";
import type { Command, RunSummary } from "@/api/types";
import { titleOf } from "@/components/run/naming";
import { useCommand } from "@/live/useCommand";
import { ErrorNote } from "@/components/ErrorNote";
import { possible, WAITING } from "@/live/commands";

const BUTTONS: { command: Command; word: string; icon: ComponentType<IconProps>; hint: string }[] = [
  { command: "pause", word: "Pause", icon: IconPlayerPause, hint: "Holds the run after the step in progress" },
  { command: "resume", word: "Resume", icon: IconPlayerPlay, hint: "Goes on where it is" },
  { command: "evaluate", word: "Evaluate now", icon: IconTarget, hint: "Measures the validation loss after this step" },
  { command: "save", word: "Save now", icon: IconDeviceFloppy, hint: "Writes a checkpoint after this step" },
  { command: "stop", word: "Stop", icon: IconPlayerStop, hint: "Ends the run after the step in progress" },
];

/** Steers a run. A button says "pausing…" until the trainer itself has said that it is paused. */
export function RunButtons({ run }: { run: RunSummary }) {
  const { send, waiting, overdue, error } = useCommand(run);
  return (
    <div>
      <Group gap="xs" role="group" aria-label={`Steer ${titleOf(run)}`}>
        {BUTTONS.filter(({ command }) => possible(command, run.state) || waiting === command).map(
          ({ command, word, icon: Icon, hint }) => (
            <Button
              key={command}
              variant="default"
              size="sm"
              leftSection={<Icon size={16} aria-hidden />}
              title={hint}
              disabled={waiting !== null && !overdue}
              aria-busy={waiting === command}
              data-testid={`button-${command}`}
              onClick={() => send(command)}
            >
              {waiting === command ? WAITING[command] : word}
            </Button>
          ),
        )}
      </Group>
      <span className="visually-hidden" role="status">
        {waiting ? WAITING[waiting] : `${titleOf(run)} is ${run.state}`}
      </span>
      {error !== null && <ErrorNote error={error} />}
    </div>
  );
}
