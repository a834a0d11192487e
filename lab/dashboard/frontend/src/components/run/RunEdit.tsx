import { Button, Group, Modal, Stack, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { useChangeRun } from "@/api/runs";
import type { RunSummary } from "@/api/types";
import { ErrorNote } from "@/components/ErrorNote";

interface Props {
  run: RunSummary;
  opened: boolean;
  onClose: () => void;
}

/** Name, tags and a note of one's own for a run. */
export function RunEdit({ run, opened, onClose }: Props) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Words about this run"
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Fields run={run} onDone={onClose} />
    </Modal>
  );
}

function Fields({ run, onDone }: { run: RunSummary; onDone: () => void }) {
  // Only what was changed here: the rest is the run's, which may be told later than this form is drawn.
  const [edited, setEdited] = useState<Partial<Pick<RunSummary, "name" | "tags" | "note">>>({});
  const { name, tags, note } = { ...run, ...edited };
  const change = useChangeRun(run.id);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate(edited, { onSuccess: onDone });
      }}
    >
      <Stack gap="sm">
        <TextInput
          label="Name"
          value={name}
          maxLength={120}
          data-autofocus
          onChange={(event) => setEdited({ ...edited, name: event.currentTarget.value })}
        />
        <TagsInput
          label="Tags"
          description="Enter after each"
          inputWrapperOrder={["label", "input", "description"]}
          value={tags}
          maxTags={20}
          acceptValueOnBlur
          onChange={(value) => setEdited({ ...edited, tags: value })}
        />
        <Textarea
          label="Note"
          autosize
          minRows={2}
          maxRows={12}
          maxLength={10_000}
          value={note}
          onChange={(event) => setEdited({ ...edited, note: event.currentTarget.value })}
        />
        {change.error && <ErrorNote error={change.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
          <Button type="submit" loading={change.isPending}>
            Keep these words
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
