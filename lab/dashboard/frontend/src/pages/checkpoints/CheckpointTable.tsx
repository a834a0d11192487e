import { ActionIcon, Anchor, Group, Menu, Table, Text } from "@mantine/core";
import { IconDots, IconGitFork, IconMessage2, IconMicroscope, IconPackageExport, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "react-router";
import { useDeleteCheckpoint, useExport } from "@/api/runs";
import type { Checkpoint, RunSummary } from "@/api/types";
import { titleOf } from "@/components/run/naming";
import { Computed } from "@/components/figures/Computed";
import { Confirm } from "@/components/Confirm";
import { ErrorNote } from "@/components/ErrorNote";
import { ago, bytes, loss } from "@/components/words";
import { useRecord, useVersion } from "@/live/hooks";
import type { RunRecord } from "@/live/record";
import classes from "./CheckpointTable.module.css";

interface Props {
  run: RunSummary;
  checkpoints: Checkpoint[];
}

/** The checkpoints of a run, and what can be done with each. */
export function CheckpointTable({ run, checkpoints }: Props) {
  const [doomed, setDoomed] = useState<Checkpoint | null>(null);
  const exporting = useExport();
  const remove = useDeleteCheckpoint(run.id);
  const record = useRecord(run.id);
  useVersion(record);
  return (
    <>
      <Table.ScrollContainer
        minWidth={320}
        type="native"
        tabIndex={0}
        role="region"
        aria-label={`Checkpoints of ${titleOf(run)}, ${run.path}`}
      >
        <Table fz="sm" highlightOnHover className={classes.table} data-testid="checkpoint-table">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Checkpoint</Table.Th>
              <Table.Th scope="col" ta="right">
                <Computed of="checkpoints.step" />
              </Table.Th>
              <Table.Th scope="col" ta="right">
                <Computed of="checkpoints.val_loss" />
              </Table.Th>
              <Table.Th scope="col" ta="right" visibleFrom="sm">
                <Computed of="checkpoints.size" />
              </Table.Th>
              <Table.Th scope="col" visibleFrom="sm">
                Written
              </Table.Th>
              <Table.Th scope="col">
                <span className="visually-hidden">What to do with it</span>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {checkpoints.map((checkpoint) => (
              <Table.Tr key={checkpoint.id} data-testid="checkpoint-row" data-checkpoint={checkpoint.id}>
                <Table.Th scope="row" ff="monospace" fw={500}>
                  {checkpoint.name}
                </Table.Th>
                <Table.Td ta="right" ff="monospace">
                  {checkpoint.step?.toLocaleString("en") ?? "–"}
                </Table.Td>
                <Table.Td ta="right" ff="monospace">
                  {loss(lossAt(record, checkpoint.step))}
                </Table.Td>
                <Table.Td ta="right" visibleFrom="sm">
                  {bytes(checkpoint.bytes)}
                  {checkpoint.same_as !== null && (
                    <Text size="xs" c="dimmed">
                      the file of {nameOf(checkpoint.same_as, checkpoints)}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td c="dimmed" visibleFrom="sm">
                  {ago(checkpoint.modified)}
                </Table.Td>
                <Table.Td>
                  <Actions
                    run={run}
                    checkpoint={checkpoint}
                    onDelete={() => setDoomed(checkpoint)}
                    onExport={() => exporting.mutate(checkpoint.id)}
                  />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <div role="status">
        {exporting.isPending && <Text size="sm">Exporting…</Text>}
        {exporting.data && (
          <Text size="sm">
            Exported to <code>{exporting.data.path}</code>: a folder that Hugging Face transformers opens.
          </Text>
        )}
      </div>
      {exporting.error && <ErrorNote error={exporting.error} />}
      <Confirm
        opened={doomed !== null}
        title="Delete this checkpoint?"
        verb="Delete"
        busy={remove.isPending}
        error={remove.error}
        onClose={() => {
          setDoomed(null);
          remove.reset();
        }}
        onConfirm={() => doomed && remove.mutate(doomed.id, { onSuccess: () => setDoomed(null) })}
      >
        {doomed && (
          <>
            <strong>{doomed.name}</strong> of {titleOf(run)} ({roomOf(doomed, checkpoints)}) will be gone for good: no
            undo, and
            {doomed.weights_only
              ? " no way to look inside the model at its step."
              : " no way to continue from its step."}
          </>
        )}
      </Confirm>
    </>
  );
}

interface ActionProps {
  run: RunSummary;
  checkpoint: Checkpoint;
  onDelete: () => void;
  onExport: () => void;
}

function Actions({ run, checkpoint, onDelete, onExport }: ActionProps) {
  const place = `run=${run.id}&checkpoint=${checkpoint.id}`;
  return (
    <Group gap="xs" justify="flex-end" wrap="nowrap">
      <Anchor component={Link} to={`/playground?${place}`} size="sm" visibleFrom="sm">
        Generate
      </Anchor>
      <Anchor component={Link} to={`/inside?${place}`} size="sm" visibleFrom="sm">
        Look inside
      </Anchor>
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="subtle" aria-label={`More about ${checkpoint.name}`}>
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item component={Link} to={`/playground?${place}`} leftSection={<IconMessage2 size={16} aria-hidden />}>
            Generate text
          </Menu.Item>
          <Menu.Item component={Link} to={`/inside?${place}`} leftSection={<IconMicroscope size={16} aria-hidden />}>
            Look inside
          </Menu.Item>
          {!checkpoint.weights_only && (
            <Menu.Item
              component={Link}
              to={`/new?fork=${checkpoint.id}&from=${run.id}`}
              leftSection={<IconGitFork size={16} aria-hidden />}
            >
              Go on from here with other options
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconPackageExport size={16} aria-hidden />} onClick={onExport}>
            Export for Hugging Face
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={onDelete}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Group>
  );
}

/** What is free when a checkpoint is gone: nothing, where its file has another name. */
function roomOf(checkpoint: Checkpoint, all: Checkpoint[]): string {
  const other = all.find(({ id, same_as }) => id === checkpoint.same_as || same_as === checkpoint.id);
  return other ? `its file stays, as ${other.name}` : bytes(checkpoint.bytes);
}

function nameOf(id: string, all: Checkpoint[]): string {
  return all.find((one) => one.id === id)?.name ?? "another";
}

/** What an evaluation at this step found; null: there was none. */
function lossAt(record: RunRecord, step: number | null): number | null {
  const track = record.tracks.val_loss;
  const at = track?.steps.lastIndexOf(step ?? -1) ?? -1;
  return track?.values[at] ?? null;
}
