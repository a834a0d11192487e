import { useEffect, useMemo } from "react";
import { textParam, useParam } from "@/address/useParam";
import { useFirst } from "@/api/lists";
import { useCheckpoints } from "@/api/runs";
import type { Checkpoint, RunSummary } from "@/api/types";
import { useLiveSummary } from "@/live/summaries";

const ids = textParam();
/** The newest run that has any. */
const NEWEST = { q: "checkpoints>0" };

export interface Chosen {
  run: string;
  /** undefined: it is not there, or not known yet. */
  summary: RunSummary | undefined;
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
  const { data: summary } = useLiveSummary(run);
  const newest = useFirst(NEWEST, 1, run === "" && !optional);
  const usualRun = run === "" && !optional ? newest.data?.rows[0]?.id : undefined;
  const list = useCheckpoints(run, run !== "");
  const checkpoints = useMemo(() => byStep(list.data ?? []), [list.data]);
  const checkpoint = checkpoints.find(({ id }) => id === wanted) ?? null;
  const usual = checkpoints.at(fallback === "first" ? 0 : -1)?.id;

  useEffect(() => {
    if (usualRun) writeRun(usualRun);
  }, [usualRun, writeRun]);
  useEffect(() => {
    if (run !== "" && wanted === "" && usual) setCheckpoint(usual);
  }, [run, wanted, usual, setCheckpoint]);

  return {
    run,
    summary,
    setRun: (next) => {
      writeRun(next);
      setCheckpoint("");
    },
    checkpoints,
    checkpoint,
    setCheckpoint,
    missing: wanted !== "" && list.isSuccess && !checkpoint ? wanted : null,
    ready: run === "" ? optional || !newest.isPending : !list.isPending,
    error: run === "" ? newest.error : list.error,
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
