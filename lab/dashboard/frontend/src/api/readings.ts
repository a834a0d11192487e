/** How a run's curves are to be read: levels of the loss, and where validation turns upwards. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, data } from "./client";
import { keys } from "./keys";
import type { components } from "./schema";

export type Readings = components["schemas"]["Readings"];

/** Asked for again with each evaluation; of a run with hundreds, with each hundredth part of them, and at its end. */
export function useReadings(run: string, evaluations: number) {
  return useQuery({
    queryKey: keys.readings(run, Number(evaluations.toPrecision(2))),
    queryFn: () => data(api.GET("/api/runs/{run_id}/readings", { params: { path: { run_id: run } } })),
    placeholderData: keepPreviousData,
  });
}
