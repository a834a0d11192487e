import { Badge } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { Link } from "react-router";
import type { RunSummary } from "@/api/types";
import classes from "./StateBadge.module.css";

/** That there is something to be called for in a run, and the way to it. */
export function AlertSign({ run }: { run: RunSummary }) {
  if (run.alerts === 0) return null;
  const said = `${run.alerts} ${run.alerts === 1 ? "alert" : "alerts"}`;
  return (
    <Badge
      component={Link}
      to={`/runs/${encodeURIComponent(run.id)}?tab=alerts`}
      variant="outline"
      className={classes.badge}
      data-tone="warn"
      leftSection={<IconAlertTriangle size={13} aria-hidden />}
      data-testid="alert-sign"
      style={{ cursor: "pointer" }}
    >
      {said}
    </Badge>
  );
}
