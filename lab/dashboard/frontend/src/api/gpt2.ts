/** GPT-2 itself, where its weights are on the server's machine. */
import { useQuery } from "@tanstack/react-query";
import { api, data } from "./client";

/** The names of those that can be asked, and how one is fetched. */
export function useGpt2(enabled: boolean) {
  return useQuery({
    queryKey: ["gpt2"],
    queryFn: ({ signal }) => data(api.GET("/api/gpt2", { signal })),
    enabled,
    staleTime: 10_000,
  });
}
