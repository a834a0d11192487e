/** Steering a run. A command counts as obeyed when the trainer says so, not when the server has taken it. */
import { useMutation } from "@tanstack/react-query";
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { api, data } from "@/api/client";
import type { Command, RunSummary } from "@/api/types";
import { obeyed } from "./commands";
import { useLive } from "./hooks";
import type { RunEvent } from "./record";

/** Commands on their way, by run; also after a reload, for as long as the tab lives. */
const STORE = "lab waiting ";
const PATIENCE = 20_000;
const watchers = new Set<() => void>();

function waitingFor(run: string): Command | null {
  return window.sessionStorage.getItem(STORE + run) as Command | null;
}

function setWaiting(run: string, command: Command | null): void {
  if (command === null) window.sessionStorage.removeItem(STORE + run);
  else window.sessionStorage.setItem(STORE + run, command);
  watchers.forEach((watcher) => watcher());
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function post(run: string, { command, saving, confirmed }: Told) {
  if (command === "resume")
    return data(api.POST("/api/runs/{run_id}/resume", { params: { path: { run_id: run }, query: { confirmed } } }));
  return data(
    api.POST("/api/runs/{run_id}/{command}", { params: { path: { run_id: run, command }, query: { save: saving } } }),
  );
}

interface Told {
  command: Command;
  /** To stop: with a checkpoint of the last step. */
  saving: boolean;
  /** To resume: even if it will probably not fit into the memory. */
  confirmed: boolean;
}

export function useCommand(run: RunSummary) {
  const live = useLive();
  const waiting = useSyncExternalStore(watch, () => waitingFor(run.id));
  const { mutate, error, reset } = useMutation({
    mutationFn: (told: Told) => post(run.id, told),
    onError: () => setWaiting(run.id, null),
  });

  useEffect(() => {
    if (waiting !== null && obeyed(waiting, run.state)) setWaiting(run.id, null);
  }, [waiting, run.state, run.id]);

  // Saving and evaluating leave the state as it is: there the run's log tells.
  useEffect(() => {
    if (waiting !== "save" && waiting !== "evaluate") return;
    return live.watchEvents((id, events) => {
      if (id === run.id && events.some((event) => tells(waiting, event))) setWaiting(run.id, null);
    });
  }, [live, waiting, run.id]);

  // A command can be lost, with the process that was to obey it: after a while it may be given again.
  const [overdue, setOverdue] = useState(false);
  useEffect(() => {
    if (waiting === null) return;
    const timer = window.setTimeout(() => setOverdue(true), PATIENCE);
    return () => {
      window.clearTimeout(timer);
      setOverdue(false);
    };
  }, [waiting]);

  const send = useCallback(
    (command: Command, how: Partial<Told> = {}) => {
      setWaiting(run.id, command);
      mutate({ saving: false, confirmed: false, ...how, command });
    },
    [mutate, run.id],
  );
  return { send, waiting, overdue, error, forget: reset };
}

function tells(command: "save" | "evaluate", event: RunEvent): boolean {
  return command === "save" ? event.kind === "checkpoint" : event.kind === "metrics" && "val_loss" in event;
}
