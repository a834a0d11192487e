import { useAccess, useConnection, type ConnectionState } from "@/live/hooks";
import classes from "./Shell.module.css";

const WORDS: Record<ConnectionState | "locked", string> = {
  live: "live",
  connecting: "connecting…",
  offline: "server not reached",
  locked: "not let in",
};

/** Whether what is shown is what is happening. */
export function Connection() {
  const connection = useConnection();
  const state = useAccess() === "right" ? connection : "locked";
  return (
    <span className={classes.connection} role="status" data-testid="connection" data-state={state}>
      <span className={classes.dot} data-state={state} aria-hidden />
      <span>{WORDS[state]}</span>
    </span>
  );
}
