import { Alert, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { EmptyState } from "@/components/EmptyState";
import { ago } from "@/components/words";
import type { Note } from "@/live/record";

/** What each kind of trouble is called; of one that a later version of the lab knows, its own word is. */
const KINDS: Record<string, string> = {
  rate_too_high: "Learning rate too high",
  loss_spike: "Spike",
  above_guessing: "Worse than guessing",
  stalled: "Stalled",
  always_clipped: "Every gradient clipped",
  overfitting: "Overfitting",
  failed: "Failed",
};

/** What is alarming about a run, the latest first, and what to try. */
export function Alerts({ alerts }: { alerts: Note[] }) {
  if (alerts.length === 0)
    return (
      <EmptyState title="No alerts">
        A loss that jumps, stalls or turns upwards in validation is told here, with the step where it began and what to
        try.
      </EmptyState>
    );
  return (
    <Stack gap="xs" data-testid="alerts">
      {alerts.toReversed().map((alert) => (
        <Alert
          key={alert.seq}
          variant="outline"
          color="orange"
          icon={<IconAlertTriangle aria-hidden />}
          title={alertTitle(alert)}
        >
          <Text size="sm">{sentence(alertText(alert))}</Text>
          {typeof alert.advice === "string" && <Text size="sm">{sentence(alert.advice)}</Text>}
          <Text size="xs" c="dimmed">
            {Number.isFinite(alert.time)
              ? `told at step ${alert.step.toLocaleString("en")}, ${ago(alert.time)}`
              : `read off its log as far as step ${alert.step.toLocaleString("en")}: the run told of no alert itself`}
          </Text>
        </Alert>
      ))}
    </Stack>
  );
}

/** Where it began: often some steps before it could be told. */
export function alertSince(alert: Note): number {
  return typeof alert.since === "number" ? alert.since : alert.step;
}

export function alertTitle(alert: Note): string {
  const what = typeof alert.what === "string" ? (KINDS[alert.what] ?? alert.what) : "Alert";
  const since = alertSince(alert).toLocaleString("en");
  return alert.what === "failed" ? `${what} at step ${since}` : `${what}, since step ${since}`;
}

export function alertText(alert: Note): string {
  return typeof alert.message === "string" ? alert.message : "";
}

/** With a capital letter, and a full stop where there is none; the name of an option keeps its letters. */
function sentence(text: string): string {
  const whole = /[.!?]$/.test(text) ? text : `${text}.`;
  return /^[a-z]+ /.test(whole) ? `${whole.slice(0, 1).toUpperCase()}${whole.slice(1)}` : whole;
}
