import { Alert, Anchor, Button, Group, Text } from "@mantine/core";
import { IconGitFork } from "@tabler/icons-react";
import { Link } from "react-router";
import type { RunSummary } from "@/api/types";
import { titleOf } from "@/components/run/naming";

/** Says what a run takes over that goes on from a checkpoint. */
export function ForkNote({ parent, onForget }: { parent: RunSummary | undefined; onForget: () => void }) {
  return (
    <Alert icon={<IconGitFork aria-hidden />} variant="outline" title="Going on from a checkpoint">
      <Group justify="space-between">
        <Text size="sm">
          The new run begins with the weights of a checkpoint of{" "}
          {parent ? (
            <Anchor component={Link} to={`/runs/${parent.id}`}>
              {titleOf(parent)}
            </Anchor>
          ) : (
            "another run"
          )}
          , and with its options but for those that you change. Model, text and optimizer stay.
        </Text>
        <Button size="xs" variant="default" onClick={onForget}>
          Start from nothing instead
        </Button>
      </Group>
    </Alert>
  );
}
