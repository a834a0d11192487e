/** What the button of a command says until the trainer has obeyed, and how one knows that it has. */
import type { Command, RunState } from "@/api/types";

export const WAITING: Record<Command, string> = {
  pause: "pausing…",
  resume: "resuming…",
  stop: "stopping…",
  save: "saving…",
  evaluate: "evaluating…",
};

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
