import { useEffect, useState, type ReactNode } from "react";
import { LiveContext } from "./hooks";
import { LiveStore } from "./store";

/** Keeps the connection to the server for as long as the page is open. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const [store] = useState(() => new LiveStore());
  useEffect(() => {
    store.start();
    return () => store.stop();
  }, [store]);
  return <LiveContext value={store}>{children}</LiveContext>;
}
