import { useEffect, useMemo } from "react";
import { textParam, useParam } from "@/address/useParam";
import { useCheckpoints, useCheckpointsOf, useRuns } from "@/api/runs";
import type { Checkpoint, RunSummary } from "@/api/types";

const ids = textParam();
/** Runs that are asked for checkpoints to find the newest one that has any. */
const LOOK_AT = 12;

export interface Chosen {
  runs: RunSummary[];
  run: string;
  setRun: (run: string) => void;
  /** Of the run, by step. */
  checkpoints: Checkpoint[];
  /** null: none, or one that is there no more. */
  checkpoint: Checkpoint | null;
  setCheckpoint: (id: string) => void;
  /** What the address asks for, and is there no more. */
  missing: string | null;
  ready: boolean;
  error: unknown;
}

/**
 * A run and a checkpoint of it, from the address (`run` and `checkpoint`, with `suffix`). An address without them gets the
 * newest run that has checkpoints, and the last of these (or the first): it then says so, and stays good when newer ones come.
 */
export function useChosen(suffix = "", optional = false, fallback: "first" | "last" = "last"): Chosen {
  const [run, writeRun] = useParam(`run${suffix}`, ids);
  const [wanted, setCheckpoint] = useParam(`checkpoint${suffix}`, ids);
  const { data: runs, error } = useRuns();
  const newest = useNewest(run === "" && !optional ? runs : undefined);
  const list = useCheckpoints(run, run !== "");
  const checkpoints = useMemo(() => byStep(list.data ?? []), [list.data]);
  const checkpoint = checkpoints.find(({ id }) => id === wanted) ?? null;
  const usual = checkpoints.at(fallback === "first" ? 0 : -1)?.id;

  useEffect(() => {
    if (newest.run) writeRun(newest.run);
  }, [newest.run, writeRun]);
  useEffect(() => {
    if (run !== "" && wanted === "" && usual) setCheckpoint(usual);
  }, [run, wanted, usual, setCheckpoint]);

  return {
    runs: runs ?? [],
    run,
    setRun: (next) => {
      writeRun(next);
      setCheckpoint("");
    },
    checkpoints,
    checkpoint,
    setCheckpoint,
    missing: wanted !== "" && list.isSuccess && !checkpoint ? wanted : null,
    ready: runs !== undefined && (run === "" ? optional || newest.settled : !list.isPending),
    error: error ?? (run === "" ? null : list.error),
  };
}

/** The newest run with checkpoints. */
function useNewest(runs: RunSummary[] | undefined): { run: string | null; settled: boolean } {
  const asked = (runs ?? []).slice(0, LOOK_AT);
  const lists = useCheckpointsOf(asked.map(({ id }) => id));
  const at = lists.findIndex(({ data }) => data && data.length > 0);
  // Not before the newer ones have said that they have none.
  const certain = at >= 0 && lists.slice(0, at).every(({ isPending }) => !isPending);
  return {
    run: certain ? (asked[at]?.id ?? null) : null,
    settled: runs !== undefined && lists.every(({ isPending }) => !isPending),
  };
}

/** By step; of several with the same step (best.ckpt and last.ckpt name others again) the weights alone first. */
export function byStep(checkpoints: Checkpoint[]): Checkpoint[] {
  return [...checkpoints].sort(
    (one, other) =>
      (one.step ?? Infinity) - (other.step ?? Infinity) ||
      Number(other.weights_only) - Number(one.weights_only) ||
      one.name.localeCompare(other.name),
  );
}
