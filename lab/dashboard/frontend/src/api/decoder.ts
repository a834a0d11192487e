/** The decoder in a checkpoint: what it is built of, and one token's way through it. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, data } from "./client";
import { keys } from "./keys";
import type { components } from "./schema";

type Models = components["schemas"];

export type Structure = Models["Structure"];
export type Walk = Models["Walk"];
export type Numbers = Models["Numbers"];
export type NormStep = Models["NormStep"];
export type Addition = Models["Addition"];
export type AttentionSteps = Models["AttentionSteps"];
export type HiddenUnits = Models["HiddenUnits"];

/** What the model in a checkpoint is built of. */
export function useStructure(checkpoint: string) {
  return useQuery({
    queryKey: keys.inspect("structure", checkpoint),
    queryFn: ({ signal }) =>
      data(
        api.GET("/api/checkpoints/{checkpoint_id}/structure", {
          params: { path: { checkpoint_id: checkpoint } },
          signal,
        }),
      ),
    enabled: checkpoint !== "",
    staleTime: 60_000,
  });
}

export interface Way {
  checkpoint: string;
  prompt: string;
  layer: number;
  head: number;
  /** null: the last token. */
  position: number | null;
}

/** One token's way through one layer and head. The last answer stays until the next is there. */
export function useWalk({ checkpoint, prompt, layer, head, position }: Way, enabled: boolean) {
  return useQuery({
    queryKey: keys.inspect("walk", checkpoint, prompt, layer, head, position),
    queryFn: ({ signal }) =>
      data(api.POST("/api/inspect/walk", { body: { checkpoint, prompt, layer, head, position }, signal })),
    enabled: enabled && checkpoint !== "" && prompt !== "",
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}

export type WithAndWithout = Models["WithAndWithout"];

/** The prompt, continued with and without a head; `head` null: without the whole layer. */
export function useWithout(body: Models["SwitchOff"], enabled: boolean) {
  return useQuery({
    queryKey: keys.inspect("without", body),
    queryFn: ({ signal }) => data(api.POST("/api/inspect/without", { body, signal })),
    enabled: enabled && body.checkpoint !== "" && body.prompt !== "",
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}
