/** What can be chosen, and what a choice comes to. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, data } from "./client";
import { keys } from "./keys";
import type { RunRequest } from "./types";

export function useConfigSchema() {
  return useQuery({ queryKey: keys.config, staleTime: Infinity, queryFn: () => data(api.GET("/api/config")) });
}

/** What would come of a request, and the request itself; nothing is started. The last answer stays until the next one
 * is there, so that what it says of a value need not hold of the present one. */
export function useResolved(request: RunRequest) {
  return useQuery({
    queryKey: ["resolved", request],
    queryFn: async () => ({ request, resolved: await data(api.POST("/api/config/resolve", { body: request })) }),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}

/** How long it would take, and whether it fits into the memory. */
export function useCost(request: RunRequest, enabled: boolean) {
  return useQuery({
    queryKey: ["cost", request],
    queryFn: () => data(api.POST("/api/config/cost", { body: request })),
    placeholderData: keepPreviousData,
    staleTime: 20_000,
    enabled,
    retry: false,
  });
}

export function useCorpora() {
  return useQuery({ queryKey: keys.corpora, queryFn: () => data(api.GET("/api/corpora")) });
}

/** Sends a text file to the lab, to train on. The same file once more takes the place of the first. */
export function useUpload() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: async (file: File) =>
      data(api.POST("/api/corpora", { body: { name: nameOf(file), text: await textOf(file), replace: true } })),
    onSuccess: () => cache.invalidateQueries({ queryKey: keys.corpora }),
  });
}

/** The file's name without its ending, with nothing in it that the server would refuse. */
function nameOf({ name }: File): string {
  const bare = name
    .replace(/\.[^.]*$/, "")
    .normalize("NFKD")
    .replaceAll(/[^A-Za-z0-9 ._-]/g, "");
  return (
    bare
      .replace(/^[^A-Za-z0-9]+/, "")
      .slice(0, 60)
      .replace(/[ .]+$/, "") || "text"
  );
}

async function textOf(file: File): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    throw new Error(`${file.name} is not UTF-8: save it as UTF-8 in an editor, and choose it again.`);
  }
}
