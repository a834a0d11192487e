import { Alert, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useRun } from "@/api/runs";
import type { RunSummary } from "@/api/types";
import classes from "./Log.module.css";

/** Why a run ended before its time, and the last lines that it printed. */
export function Failure({ run }: { run: RunSummary }) {
  const ended = run.state === "failed" || run.state === "lost";
  const { data: detail } = useRun(run.id);
  if (!ended) return null;
  return (
    <Alert
      variant="outline"
      color="red"
      icon={<IconAlertTriangle aria-hidden />}
      title={run.state === "failed" ? "This run failed" : "This run is lost"}
      styles={{ title: { color: "var(--lab-bad)" }, icon: { color: "var(--lab-bad)" } }}
      data-testid="failure"
    >
      <Text>{run.reason ?? "It has left no reason."}</Text>
      {detail?.log_tail && (
        <pre
          ref={(box) => void box?.scrollTo(0, box.scrollHeight)}
          className={classes.log}
          tabIndex={0}
          role="region"
          aria-label="Last lines of the log"
          style={{ maxHeight: 220, marginTop: 10 }}
        >
          {detail.log_tail}
        </pre>
      )}
    </Alert>
  );
}
