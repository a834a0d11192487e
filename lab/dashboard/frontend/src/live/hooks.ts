import { createContext, use, useSyncExternalStore } from "react";
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
