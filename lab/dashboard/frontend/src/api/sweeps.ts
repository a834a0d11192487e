/** Sweeps: several runs, one for each combination of values. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, data } from "./client";
import { keys } from "./keys";

/** The sweeps that the server was asked for. `moment` is a word that changes when it is time to ask again. */
export function useSweeps(moment: string) {
  return useQuery({
    queryKey: [...keys.sweeps, moment],
    queryFn: () => data(api.GET("/api/sweeps")),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.some((sweep) => sweep.state !== "ended") ? 3_000 : false),
  });
}

export function useStopSweep() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (sweep: string) =>
      data(api.POST("/api/sweeps/{sweep_id}/stop", { params: { path: { sweep_id: sweep } } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.sweeps }),
  });
}
