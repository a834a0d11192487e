import { useDeleteRun } from "@/api/runs";
import type { RunSummary } from "@/api/types";
import { Confirm } from "@/components/Confirm";

interface Props {
  run: RunSummary;
  opened: boolean;
  onClose: () => void;
  /** The folder is gone. */
  onDeleted?: () => void;
}

/** Asks once more before the folder of a run is deleted. */
export function DeleteRun({ run, opened, onClose, onDeleted }: Props) {
  const remove = useDeleteRun();
  const close = () => {
    onClose();
    remove.reset();
  };
  // By the time the answer comes, the run may be off the list, and this question off the page: see FirstRun.
  const deleteRun = () =>
    remove.mutateAsync(run.id).then(
      () => (onDeleted ?? close)(),
      () => undefined, // remove.error is on show
    );
  return (
    <Confirm
      opened={opened}
      title="Delete this run?"
      verb="Delete"
      busy={remove.isPending}
      error={remove.error}
      onClose={close}
      onConfirm={() => void deleteRun()}
    >
      The folder <strong style={{ overflowWrap: "anywhere" }}>{run.path}</strong> will be gone for good, with its
      curves, its samples and its checkpoints.
    </Confirm>
  );
}
