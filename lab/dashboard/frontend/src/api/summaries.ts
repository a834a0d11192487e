/** Runs in a line each, one by one: asked for together, kept up to date by the live connection. */
import { useQueries, useQuery, type QueryClient } from "@tanstack/react-query";
import { api, data } from "./client";
import { keys } from "./keys";
import type { RunSummary } from "./types";

const MOST_IDS = 200; // of one request: an address has its limits

interface Waiting {
  resolve: (run: RunSummary | null) => void;
  reject: (error: unknown) => void;
}

let waiting = new Map<string, Waiting[]>();

/** Who asks for a run in the same moment asks with all the others. null: it is not there. */
function load(run: string): Promise<RunSummary | null> {
  return new Promise((resolve, reject) => {
    if (waiting.size === 0) setTimeout(loadAll);
    waiting.set(run, [...(waiting.get(run) ?? []), { resolve, reject }]);
  });
}

function loadAll(): void {
  const asked = [...waiting];
  waiting = new Map();
  for (let at = 0; at < asked.length; at += MOST_IDS) void loadSome(asked.slice(at, at + MOST_IDS));
}

async function loadSome(asked: [string, Waiting[]][]): Promise<void> {
  try {
    const ids = asked.map(([run]) => run).join(",");
    const runs = await data(api.GET("/api/runs", { params: { query: { ids } } }));
    const found = new Map(runs.map((run) => [run.id, run]));
    for (const [run, who] of asked) who.forEach(({ resolve }) => resolve(found.get(run) ?? null));
  } catch (error) {
    for (const [, who] of asked) who.forEach(({ reject }) => reject(error));
  }
}

function summaryQuery(run: string) {
  return { queryKey: keys.summary(run), queryFn: () => load(run), staleTime: Infinity, enabled: run !== "" };
}

/** One run in a line; `data` is undefined where there is none, and `known` says whether that is certain. */
export function useRunSummary(run: string) {
  const { data: found, ...rest } = useQuery(summaryQuery(run));
  return { ...rest, data: found ?? undefined, known: found !== undefined };
}

/** Several of them, in their order, without those that are not there; undefined as long as one is on its way. */
export function useSummaries(runs: string[]) {
  return useQueries({
    queries: runs.map(summaryQuery),
    combine: (found) => ({
      data: found.some(({ isPending }) => isPending) ? undefined : found.flatMap(({ data: run }) => (run ? [run] : [])),
      error: found.find(({ error }) => error)?.error ?? null,
      refetch: () => void Promise.all(found.map((one) => one.refetch())),
    }),
  });
}

/** Takes in what has been said of a run. null: it is gone. */
export function keepSummary(cache: QueryClient, id: string, run: RunSummary | null): void {
  cache.setQueryData<RunSummary | null>(keys.summary(id), run);
}
