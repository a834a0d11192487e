import { ActionIcon, Menu } from "@mantine/core";
import { IconDots, IconEdit, IconPencil, IconRotateClockwise, IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import type { RunSummary } from "@/api/types";
import { useAgain, useAgainWithChanges } from "./again";
import { DeleteRun } from "./DeleteRun";
import { titleOf } from "./naming";
import { RunEdit } from "./RunEdit";
import { isTooLarge, Refused } from "./TooLarge";

interface Props {
  run: RunSummary;
  onDeleted?: () => void;
}

/** What can be done with a run of a list. Nothing but the button is there until somebody asks for more: a list that is
 * scrolled through makes a row anew in each frame. */
export function RunMenu(props: Props) {
  const [asked, setAsked] = useState(false);
  if (asked) return <Opened {...props} />;
  return (
    <ActionIcon {...buttonOf(props.run)} aria-haspopup="menu" aria-expanded={false} onClick={() => setAsked(true)}>
      <IconDots size={18} aria-hidden />
    </ActionIcon>
  );
}

function buttonOf(run: RunSummary) {
  return { variant: "subtle", "aria-label": `More about ${titleOf(run)}`, title: "Rename, tags, delete" } as const;
}

function Opened({ run, onDeleted }: Props) {
  const [asked, setAsked] = useState<"edit" | "delete" | null>(null);
  const again = useAgain(run.id);
  const close = () => setAsked(null);
  const can = (action: RunSummary["actions"][number]) => run.actions.includes(action);
  return (
    <>
      <Menu position="bottom-end" withinPortal defaultOpened>
        <Menu.Target>
          <ActionIcon {...buttonOf(run)} autoFocus>
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => setAsked("edit")}>
            Rename, tags, note
          </Menu.Item>
          {can("again") && <AgainItems run={run.id} again={again} />}
          <Menu.Divider />
          <Menu.Item
            color="red"
            leftSection={<IconTrash size={16} aria-hidden />}
            disabled={!can("delete")}
            onClick={() => setAsked("delete")}
          >
            {can("delete") ? "Delete" : "Delete (stop it first)"}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {asked === "edit" && <RunEdit run={run} opened onClose={close} />}
      {asked === "delete" && <DeleteRun run={run} opened onClose={close} onDeleted={onDeleted} />}
      <Refused error={again.error} busy={again.isPending} onConfirm={() => again.mutate(true)} onClose={again.reset} />
    </>
  );
}

function AgainItems({ run, again }: { run: string; again: ReturnType<typeof useAgain> }) {
  const change = useAgainWithChanges(run);
  return (
    <>
      <Menu.Item
        leftSection={<IconRotateClockwise size={16} aria-hidden />}
        closeMenuOnClick={false}
        disabled={again.isPending}
        onClick={() => again.mutate(false)}
      >
        {again.error && !isTooLarge(again.error) ? `Not started: ${again.error.message}` : "Start again"}
      </Menu.Item>
      <Menu.Item
        leftSection={<IconEdit size={16} aria-hidden />}
        closeMenuOnClick={false}
        disabled={change.isPending}
        onClick={() => change.mutate({})}
      >
        {change.error ? `Not possible: ${change.error.message}` : "Run again with changes"}
      </Menu.Item>
    </>
  );
}
