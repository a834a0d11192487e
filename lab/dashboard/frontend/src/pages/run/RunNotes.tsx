import { Button, Group, Stack, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useChangeRun, useDeleteRun } from "@/api/runs";
import type { RunSummary } from "@/api/types";
import { Confirm } from "@/components/Confirm";
import { ErrorNote } from "@/components/ErrorNote";

/** Name, tags and a note of one's own; and the button that deletes the run. */
export function RunNotes({ run }: { run: RunSummary }) {
  // Only what was changed here: the rest is the run's, which may be told later than this form is drawn.
  const [edited, setEdited] = useState<Partial<Pick<RunSummary, "name" | "tags" | "note">>>({});
  const { name, tags, note } = { ...run, ...edited };
  const [asking, setAsking] = useState(false);
  const change = useChangeRun(run.id);
  const remove = useDeleteRun();
  const navigate = useNavigate();
  // By the time the answer comes, the run may be off the list, and this form off the page: see FirstRun.
  const deleteRun = () =>
    remove.mutateAsync(run.id).then(
      () => navigate("/runs"),
      () => undefined, // remove.error is on show
    );
  const alive = ["queued", "running", "paused", "stopping"].includes(run.state);
  return (
    <Stack gap="sm" maw={860}>
      <Group grow align="flex-start">
        <TextInput
          label="Name"
          value={name}
          maxLength={120}
          onChange={(event) => setEdited({ ...edited, name: event.currentTarget.value })}
        />
        <TagsInput
          label="Tags"
          description="Enter after each"
          inputWrapperOrder={["label", "input", "description"]}
          value={tags}
          maxTags={20}
          onChange={(value) => setEdited({ ...edited, tags: value })}
        />
      </Group>
      <Textarea
        label="Note"
        autosize
        minRows={2}
        maxLength={10_000}
        value={note}
        onChange={(event) => setEdited({ ...edited, note: event.currentTarget.value })}
      />
      <Group justify="space-between">
        <Button
          size="sm"
          variant="default"
          loading={change.isPending}
          onClick={() => change.mutate(edited, { onSuccess: () => setEdited({}) })}
        >
          Keep these words
        </Button>
        <Button
          size="sm"
          variant="outline"
          color="red"
          disabled={alive}
          title={alive ? "Stop it first" : undefined}
          onClick={() => setAsking(true)}
          styles={{ root: alive ? {} : { color: "var(--lab-bad)", borderColor: "var(--lab-bad)" } }}
        >
          Delete this run
        </Button>
      </Group>
      {change.error && <ErrorNote error={change.error} />}
      <Confirm
        opened={asking}
        title="Delete this run?"
        verb="Delete"
        busy={remove.isPending}
        error={remove.error}
        onClose={() => {
          setAsking(false);
          remove.reset();
        }}
        onConfirm={() => void deleteRun()}
      >
        The folder <strong>{run.path}</strong> will be gone for good, with its curves, its samples and its checkpoints.
      </Confirm>
    </Stack>
  );
}
