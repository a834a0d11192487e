import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { keys } from "@/api/keys";
import type { RunSummary } from "@/api/types";
import { fetchRecord } from "./fetch";
import { LiveContext } from "./hooks";
import { LiveStore, type Listeners } from "./store";

/** Keeps the connection to the server for as long as the page is open, and what was asked for up to date through it. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const cache = useQueryClient();
  const [store] = useState(() => new LiveStore(fetchRecord, listenersOf(cache)));
  useEffect(() => {
    store.start();
    return () => store.stop();
  }, [store]);
  return <LiveContext value={store}>{children}</LiveContext>;
}

const MILLISECONDS_BETWEEN_LISTS = 300;

function listenersOf(cache: QueryClient): Listeners {
  const changed = new Map<string, RunSummary>();
  let timer: number | undefined;
  // Ten runs that each tell five times a second how far they are: that is one new list now and then, not fifty.
  const show = () => {
    window.clearTimeout(timer);
    timer = undefined;
    cache.setQueryData<RunSummary[]>(
      keys.runs,
      (runs) => runs && newestFirst([...runs.filter(({ id }) => !changed.has(id)), ...changed.values()]),
    );
    changed.clear();
  };
  return {
    onSnapshot: (runs) => {
      cache.setQueryData<RunSummary[]>(keys.runs, newestFirst(runs));
      // The server may be another one than before: nothing that was asked earlier is certain.
      void cache.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== keys.runs[0] });
    },
    onRun: (run) => {
      const before =
        changed.get(run.id) ?? cache.getQueryData<RunSummary[]>(keys.runs)?.find(({ id }) => id === run.id);
      changed.set(run.id, run);
      if (before?.state === run.state) timer ??= window.setTimeout(show, MILLISECONDS_BETWEEN_LISTS);
      else {
        show(); // what somebody may be waiting for
        void cache.invalidateQueries({ queryKey: keys.run(run.id) });
      }
    },
    onRemoved: (run) => cache.setQueryData<RunSummary[]>(keys.runs, (runs) => runs?.filter(({ id }) => id !== run)),
    onEvents: (run, events) => {
      if (events.some(({ kind }) => kind === "checkpoint"))
        void cache.invalidateQueries({ queryKey: keys.checkpoints(run) });
    },
  };
}

function newestFirst(runs: RunSummary[]): RunSummary[] {
  return [...runs].sort((one, other) => other.created - one.created);
}
