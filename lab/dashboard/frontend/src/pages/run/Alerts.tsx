import { Alert, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { EmptyState } from "@/components/EmptyState";
import { ago } from "@/components/words";
import type { Note } from "@/live/record";

/** What the trainer has found alarming: a loss that is no number, a spike. */
export function Alerts({ notes }: { notes: Note[] }) {
  const alerts = notes.filter(({ kind }) => kind === "alert").reverse();
  if (alerts.length === 0)
    return <EmptyState title="No alerts">A loss that jumps, or becomes no number at all, is told here.</EmptyState>;
  return (
    <Stack gap="xs" data-testid="alerts">
      {alerts.map((alert) => (
        <Alert
          key={alert.seq}
          variant="outline"
          color="orange"
          icon={<IconAlertTriangle aria-hidden />}
          title={`Step ${alert.step.toLocaleString("en")}`}
        >
          <Text size="sm">{alertText(alert)}</Text>
          <Text size="xs" c="dimmed">
            {ago(alert.time)}
          </Text>
        </Alert>
      ))}
    </Stack>
  );
}

export function alertText(alert: Note): string {
  for (const field of ["message", "reason", "text"]) {
    const words = alert[field];
    if (typeof words === "string") return words;
  }
  return String(alert.alert ?? "alert");
}
