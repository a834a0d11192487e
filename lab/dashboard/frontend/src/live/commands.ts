/** Which commands a run can be given, and what the button says until the trainer has obeyed. */
import type { Command, RunState } from "@/api/types";

export const WAITING: Record<Command, string> = {
  pause: "pausing…",
  resume: "resuming…",
  stop: "stopping…",
  save: "saving…",
  evaluate: "evaluating…",
};

/** What makes sense in a state; the server has the last word. */
export function possible(command: Command, state: RunState): boolean {
  switch (command) {
    case "pause":
      return state === "running";
    case "resume":
      return state === "paused" || state === "stopped" || state === "failed" || state === "lost";
    case "stop":
      return state === "running" || state === "paused" || state === "queued";
    case "save":
    case "evaluate":
      return state === "running" || state === "paused";
  }
}

/** Has the run come to the state that the command leads to? For save and evaluate the state does not tell. */
export function obeyed(command: Command, state: RunState): boolean {
  switch (command) {
    case "pause":
      return state !== "running" && state !== "queued";
    case "resume":
      return state === "running" || state === "queued";
    case "stop":
      return state === "stopped" || state === "finished" || state === "failed" || state === "lost";
    case "save":
    case "evaluate":
      return state !== "running" && state !== "paused";
  }
}
