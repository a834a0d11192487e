import { createContext, use, useCallback, useEffect, useMemo, useSyncExternalStore } from "react";
import { access, watchAccess, type Access } from "@/api/access";
import type { RunRecord } from "./record";
import type { ConnectionState } from "./socket";
import type { LiveStore } from "./store";

export type { ConnectionState } from "./socket";

export const LiveContext = createContext<LiveStore | null>(null);

export function useLive(): LiveStore {
  const store = use(LiveContext);
  if (!store) throw new Error("LiveProvider is missing above this component");
  return store;
}

/** live, connecting or offline. */
export function useConnection(): ConnectionState {
  const live = useLive();
  return useSyncExternalStore(live.watchConnection, live.connection);
}

/** Whether the server lets this browser in. */
export function useAccess(): Access {
  return useSyncExternalStore(watchAccess, access);
}

/** Keeps the summaries of these runs up to date for as long as the component is there. */
export function useShown(runs: string[]): void {
  const live = useLive();
  const word = runs.join(",");
  useEffect(() => (word === "" ? undefined : live.show(word.split(","))), [live, word]);
}

/** A run's curves and notes, kept up to date for as long as the component is there. */
export function useRecord(run: string): RunRecord {
  return useRecords([run])[0] as RunRecord;
}

export function useRecords(runs: string[]): RunRecord[] {
  const live = useLive();
  const word = runs.join(",");
  const records = useMemo(() => (word === "" ? [] : word.split(",").map((run) => live.record(run))), [live, word]);
  useEffect(() => {
    const leave = records.map((record) => live.follow(record));
    return () => leave.forEach((go) => go());
  }, [live, records]);
  return records;
}

/** Draws the component again when the record changes; at most twenty times a second, however often it does. */
export function useVersion(record: RunRecord): number {
  return useVersions(useMemo(() => [record], [record]));
}

export function useVersions(records: RunRecord[]): number {
  const subscribe = useCallback(
    (changed: () => void) => {
      const leave = records.map((record) => record.watch(changed));
      return () => leave.forEach((go) => go());
    },
    [records],
  );
  return useSyncExternalStore(subscribe, () => records.reduce((sum, record) => sum + record.drawn, 0));
}
