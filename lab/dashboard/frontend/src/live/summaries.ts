/** Runs in a line each, as they are from moment to moment. */
import { useRunSummary, useSummaries } from "@/api/summaries";
import { useShown } from "./hooks";

/** As `useRunSummary`, and told live. */
export function useLiveSummary(run: string) {
  useShown(run === "" ? [] : [run]);
  return useRunSummary(run);
}

/** As `useSummaries`, and told live. */
export function useLiveSummaries(runs: string[]) {
  useShown(runs);
  return useSummaries(runs);
}
