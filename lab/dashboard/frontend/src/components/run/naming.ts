/** What a run is called on this page. */
import type { RunSummary } from "@/api/types";

/** Its name; of a run in a sweep, whose folder is a mere number, the sweep and the number. */
export function titleOf({ name, path }: Pick<RunSummary, "name" | "path">): string {
  return /^\d+$/.test(name) ? path.split("/").slice(-2).join("/") : name;
}
