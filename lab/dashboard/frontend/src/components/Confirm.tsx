import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { ErrorNote } from "./ErrorNote";

interface Props {
  opened: boolean;
  title: string;
  children: ReactNode;
  /** The word on the button that does it. */
  verb: string;
  /** The word on the one that does not. */
  safe?: string;
  busy: boolean;
  error: unknown;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks before something is done that cannot be undone. The safe answer has the focus. */
export function Confirm({ opened, title, children, verb, safe = "Keep", busy, error, onConfirm, onClose }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={title} centered closeButtonProps={{ "aria-label": "Close" }}>
      <Stack>
        <Text component="div">{children}</Text>
        {error !== null && error !== undefined && <ErrorNote error={error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            {safe}
          </Button>
          <Button color="red.9" onClick={onConfirm} loading={busy}>
            {verb}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
