/** What can be chosen, and what a choice comes to. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { keys } from "./keys";
import type { ConfigSchema, Corpus, Resolved, Value } from "./types";

export function useConfigSchema() {
  return useQuery({ queryKey: keys.config, staleTime: Infinity, queryFn: (): Promise<ConfigSchema> => Promise.reject(new Error("not there yet")) });
}

/** What a run with these options would be; nothing is started. The last answer stays until the next one is there. */
export function useResolved(overrides: Record<string, Value>) {
  return useQuery({
    queryKey: ["resolved", overrides],
    queryFn: (): Promise<Resolved> => Promise.reject(new Error("not there yet")),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}

export function useCorpora() {
  return useQuery({ queryKey: keys.corpora, queryFn: (): Promise<Corpus[]> => Promise.reject(new Error("not there yet")) });
}

/** Sends a text file to the lab, to train on. */
export function useUpload() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (_file: File): Promise<Corpus> => Promise.reject(new Error("not there yet")),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.corpora }),
  });
}
