/** Runs: asking for them, starting them, changing them. Steering them is in commands.ts. */
import { keepPreviousData, useMutation, useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, data } from "./client";
import { keys } from "./keys";
import { keepSummary } from "./summaries";
import type { HeldEqual, RunRequest } from "./types";

/** One run with what came of it. */
export function useRun(run: string) {
  return useQuery({
    queryKey: keys.run(run),
    queryFn: () => data(api.GET("/api/runs/{run_id}", { params: { path: { run_id: run } } })),
  });
}

function optionsQuery(run: string) {
  return {
    queryKey: keys.options(run),
    queryFn: () => data(api.GET("/api/runs/{run_id}/config", { params: { path: { run_id: run } } })),
  };
}

/** Every option of a run, resolved. */
export function useRunOptions(run: string, enabled = true) {
  return useQuery({ ...optionsQuery(run), enabled });
}

/** The same of several runs, by id. */
export function useOptionsOf(runs: string[]): Record<string, unknown> {
  return useQueries({
    queries: runs.map(optionsQuery),
    combine: (found) => Object.fromEntries(runs.map((run, at) => [run, found[at]?.data ?? {}])),
  });
}

function checkpointsQuery(run: string) {
  return {
    queryKey: keys.checkpoints(run),
    queryFn: () => data(api.GET("/api/runs/{run_id}/checkpoints", { params: { path: { run_id: run } } })),
  };
}

export function useCheckpoints(run: string, enabled = true) {
  return useQuery({ ...checkpointsQuery(run), enabled });
}

export function useCheckpointsOf(runs: string[]) {
  return useQueries({ queries: runs.map(checkpointsQuery) });
}

/** Where the time of the run's steps went when it was measured last; null: never yet. */
export function useProfile(run: string) {
  return useQuery({
    queryKey: keys.profile(run),
    queryFn: async () =>
      (await data(api.GET("/api/runs/{run_id}/profile", { params: { path: { run_id: run } } }))) ?? null,
  });
}

/** Measures it now. */
export function useMeasure(run: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => data(api.POST("/api/runs/{run_id}/profile", { params: { path: { run_id: run } } })),
    onSuccess: (found) => client.setQueryData(keys.profile(run), found),
  });
}

/** How large weights and gradients were; asked for again when there are more evaluations. */
export function useDistributions(run: string, evaluations: number) {
  return useQuery({
    queryKey: [...keys.distributions(run), evaluations],
    queryFn: () => data(api.GET("/api/runs/{run_id}/distributions", { params: { path: { run_id: run } } })),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}

/** What comes out when runs are compared; asked for again now and then while one of them trains. */
export function useComparison(runs: string[], by: HeldEqual, alive: boolean) {
  return useQuery({
    queryKey: keys.comparison(runs, by),
    queryFn: () => data(api.GET("/api/compare", { params: { query: { runs: runs.join(","), by } } })),
    enabled: runs.length > 1,
    placeholderData: keepPreviousData,
    refetchInterval: alive ? 10_000 : false,
    retry: false,
  });
}

/** What the training has printed: its end, asked for again every other second while it may grow. */
export function useLog(run: string, alive: boolean) {
  return useQuery({
    queryKey: keys.log(run),
    queryFn: async () => (await data(api.GET("/api/runs/{run_id}/log", { params: { path: { run_id: run } } }))).text,
    refetchInterval: alive ? 2_000 : false,
  });
}

/** Starts what is asked for: a run, a sweep, from nothing or from a checkpoint. */
export function useTrain() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (request: Partial<RunRequest>) =>
      data(api.POST("/api/train", { body: { confirmed: false, ...request } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.runs }),
  });
}

/** Starts a run with the same options in a folder of its own. */
export function startAgain(run: string, confirmed: boolean) {
  return data(api.POST("/api/runs/{run_id}/again", { params: { path: { run_id: run }, query: { confirmed } } }));
}

/** What a run is started with once more. */
export function overridesOf(run: string) {
  return data(api.GET("/api/runs/{run_id}/overrides", { params: { path: { run_id: run } } }));
}

export interface Rename {
  name?: string;
  tags?: string[];
  note?: string;
}

/** Changes what a run is called. */
export function useChangeRun(run: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (body: Rename) => data(api.PATCH("/api/runs/{run_id}", { params: { path: { run_id: run } }, body })),
    onSuccess: (changed) => {
      keepSummary(cache, changed.id, changed);
      void cache.invalidateQueries({ queryKey: keys.runs });
    },
  });
}

/** Deletes a run's folder. */
export function useDeleteRun() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (run: string) => data(api.DELETE("/api/runs/{run_id}", { params: { path: { run_id: run } } })),
    onSuccess: (_, run) => {
      keepSummary(cache, run, null);
      void cache.invalidateQueries({ queryKey: keys.runs });
    },
  });
}

/** Deletes a checkpoint of a run. */
export function useDeleteCheckpoint(run: string) {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (checkpoint: string) =>
      data(api.DELETE("/api/checkpoints/{checkpoint_id}", { params: { path: { checkpoint_id: checkpoint } } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.checkpoints(run) }),
  });
}

/** Writes a checkpoint as a folder that Hugging Face transformers opens. */
export function useExport() {
  return useMutation({
    mutationFn: (checkpoint: string) =>
      data(api.POST("/api/checkpoints/{checkpoint_id}/export", { params: { path: { checkpoint_id: checkpoint } } })),
  });
}
