import { Loader } from "@mantine/core";
import { useEffect, useState, type ComponentType } from "react";
import { ErrorNote } from "@/components/ErrorNote";
import { useConnection } from "@/live/hooks";
import type { Page } from "./pages";
import { fetchPart, forget, Unreached } from "./parts";

/** Pages whose files are here, by path. */
const loaded = new Map<string, ComponentType>();

/** A page, fetched when it is first shown. React's lazy() would keep a failure for good. */
export function LoadedPage({ path, load }: Pick<Page, "path" | "load">) {
  const [Content, setContent] = useState<ComponentType | null>(() => loaded.get(path) ?? null);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);
  const connection = useConnection();

  useEffect(() => {
    if (loaded.has(path)) return;
    let watched = true;
    fetchPart(path, load).then(
      ({ default: found }) => {
        loaded.set(path, found);
        if (watched) setContent(() => found);
      },
      (failed: unknown) => watched && setError(failed),
    );
    return () => {
      watched = false;
    };
  }, [path, load, attempt]);

  const again = () => {
    setError(null);
    setAttempt((number) => number + 1);
  };
  // What failed for want of a server is tried again when there is one.
  const [before, setBefore] = useState(connection);
  if (connection !== before) {
    setBefore(connection);
    if (connection === "live" && error instanceof Unreached) again();
  }

  if (Content) return <Content />;
  if (error === null) return <Loader aria-label="Loading the page" m="xl" />;
  return (
    <ErrorNote
      title="This page could not be loaded"
      error={
        error instanceof Unreached
          ? error
          : new Error(
              "A file of it is missing on the server. Build the page anew there (python -m lab.dashboard.build), and try again.",
            )
      }
      onRetry={() => {
        forget(path);
        again();
      }}
    />
  );
}
