import { Button, Flex, Modal, Stack, Text } from "@mantine/core";
import type { RunSummary } from "@/api/types";

interface Props {
  run: RunSummary;
  opened: boolean;
  onClose: () => void;
  onStop: (how: { saving: boolean }) => void;
}

/** Steps whose weights are nowhere but in the memory of the run; none of one that saves when it stops. */
export function unsaved({ save, state, step, saved_step }: RunSummary): number {
  const inMemory = state === "running" || state === "paused";
  // What is known of a run that trains is a moment old: it has taken a step since.
  return save || !inMemory ? 0 : Math.max(state === "running" ? 1 : 0, step - (saved_step ?? 0));
}

/** Asks before a run is stopped whose weights would be lost. The safe answer has the focus. */
export function StopRun({ run, opened, onClose, onStop }: Props) {
  const lost = unsaved(run);
  const steps = lost === 1 ? "1 step" : `${lost.toLocaleString("en")} steps`;
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Stop and lose its weights?"
      size={520}
      centered
      closeButtonProps={CLOSE}
    >
      <Stack data-testid="stop-question">
        <Text>
          {run.saved_step === null
            ? `This run keeps no checkpoints. If it stops now, what it has learnt in ${steps} is gone: its curves and samples stay, but it can neither go on nor write.`
            : `This run keeps no checkpoints by itself; the last one is of step ${run.saved_step.toLocaleString("en")}. If it stops now, what it has learnt in the ${steps} since then is gone.`}
        </Text>
        <Flex direction={{ base: "column", xs: "row" }} justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Let it train
          </Button>
          <Button color="red.9" variant="filled" onClick={() => onStop({ saving: false })}>
            Stop without saving
          </Button>
          <Button onClick={() => onStop({ saving: true })} data-autofocus>
            Save and stop
          </Button>
        </Flex>
      </Stack>
    </Modal>
  );
}

const CLOSE = { "aria-label": "Close" };
