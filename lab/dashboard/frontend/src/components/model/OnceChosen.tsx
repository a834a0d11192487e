import { Loader } from "@mantine/core";
import type { ReactNode } from "react";
import { ErrorNote } from "@/components/ErrorNote";
import { NoCheckpoints } from "./NoCheckpoints";
import type { Chosen } from "./useChosen";

/** What is shown of a checkpoint, once there is one; until then, what is in the way. */
export function OnceChosen({ chosen, children }: { chosen: Chosen; children: ReactNode }) {
  if (!chosen.ready) return <Loader aria-label="Loading the checkpoints" />;
  if (chosen.error) return <ErrorNote error={chosen.error} />;
  if (chosen.run === "" || chosen.checkpoints.length === 0) return <NoCheckpoints />;
  return children;
}
