import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { keys } from "@/api/keys";
import { keepSummary } from "@/api/summaries";
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

const MILLISECONDS_BETWEEN_LISTS = 1_000;

function listenersOf(cache: QueryClient): Listeners {
  let timer: number | undefined;
  // A list is asked for again when it is another, and not more often than somebody can read it.
  const renewLists = () => {
    timer ??= window.setTimeout(() => {
      timer = undefined;
      void cache.invalidateQueries({ queryKey: keys.runs });
    }, MILLISECONDS_BETWEEN_LISTS);
  };
  return {
    onSnapshot: (runs) => {
      for (const run of runs) keepSummary(cache, run.id, run);
      // The server may be another one than before: nothing that was asked earlier is certain.
      void cache.invalidateQueries();
    },
    onRun: (run) => {
      const before = cache.getQueryData<RunSummary | null>(keys.summary(run.id));
      keepSummary(cache, run.id, run);
      if (before?.state !== run.state) void cache.invalidateQueries({ queryKey: keys.run(run.id) });
    },
    onRemoved: (run) => keepSummary(cache, run, null),
    onListChanged: renewLists,
    onEvents: (run, events) => {
      if (events.some(({ kind }) => kind === "checkpoint"))
        void cache.invalidateQueries({ queryKey: keys.checkpoints(run) });
    },
  };
}
