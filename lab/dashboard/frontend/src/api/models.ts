/** Models in use: what goes on inside them, and texts in tokens. The writing of text is in generate.ts. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, data } from "./client";
import { keys } from "./keys";
import type { components } from "./schema";

type Models = components["schemas"];

export type PromptToken = Models["PromptToken"];
export type Candidate = Models["Candidate"];
export type Token = Models["Token"];
export type Merge = Models["Merge"];
export type TokenizerName = Models["TokenizeRequest"]["tokenizer"];
export type VocabularySize = Models["TokenizeRequest"]["vocab_size"];
export type View = Models["Frame"]["result"];
export type ViewName = View["view"];
export type ViewOf<Name extends ViewName> = Extract<View, { view: Name }>;
export type Frame = Models["Frame"];

/** One moment of a run, seen in one way. */
export interface FrameOf<Name extends ViewName> {
  checkpoint: string;
  name: string;
  step: number | null;
  result: ViewOf<Name>;
}

/** A text as the model sees it. The last answer stays until the next is there. */
export function useTokenize(text: string, tokenizer: TokenizerName, vocabularySize: VocabularySize) {
  return useQuery({
    queryKey: keys.tokens(text, tokenizer, vocabularySize),
    queryFn: ({ signal }) =>
      data(api.POST("/api/tokenize", { body: { text, tokenizer, vocab_size: vocabularySize }, signal })),
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });
}

export interface Question {
  checkpoint: string;
  prompt: string;
  topK?: number;
  /** For attention: this layer alone, this head alone. */
  layer?: number | null;
  head?: number | null;
}

/** What one checkpoint shows. */
export function useInspect<Name extends ViewName>(
  view: Name,
  { checkpoint, prompt, topK = 5, layer = null, head = null }: Question,
  enabled = true,
) {
  return useQuery({
    queryKey: keys.inspect(view, checkpoint, prompt, topK, layer, head),
    queryFn: async ({ signal }) =>
      (await ask(view, { checkpoint, prompt, top_k: topK, layer, head }, signal)) as ViewOf<Name>,
    enabled: enabled && checkpoint !== "" && prompt !== "",
    placeholderData: keepPreviousData,
    // A checkpoint may be written again under its name, but rarely while somebody looks at it.
    staleTime: 60_000,
  });
}

function ask(view: ViewName, body: Models["Inspect"], signal: AbortSignal): Promise<View> {
  switch (view) {
    case "attention":
      return data(api.POST("/api/inspect/attention", { body, signal }));
    case "activations":
      return data(api.POST("/api/inspect/activations", { body, signal }));
    case "logit-lens":
      return data(api.POST("/api/inspect/logit-lens", { body, signal }));
    case "token-loss":
      return data(api.POST("/api/inspect/token-loss", { body, signal }));
    case "neighbors":
      return data(api.POST("/api/inspect/neighbors", { body, signal }));
    case "embedding-map":
      return data(api.POST("/api/inspect/embedding-map", { body, signal }));
    case "ablate":
      return data(api.POST("/api/inspect/ablate", { body, signal }));
  }
}

export interface TimelineQuestion {
  run: string;
  prompt: string;
  topK?: number;
  frames: number;
  /** Of which files: a run that trains gets new ones. */
  files: string;
  /** One head alone, where all of them would be too much for one answer. */
  only?: { layer: number; head: number } | null;
}

/** The same through the checkpoints of a run, by step. */
export function useTimeline<Name extends ViewName>(
  view: Name,
  { run, prompt, topK = 5, frames, files, only = null }: TimelineQuestion,
  enabled = true,
) {
  const same = [view, run, prompt, topK, frames, only];
  return useQuery({
    queryKey: keys.timeline(...same, files),
    queryFn: async ({ signal }) => {
      const body = { run, view, prompt, top_k: topK, frames, layer: only?.layer ?? null, head: only?.head ?? null };
      return (await data(api.POST("/api/inspect/timeline", { body, signal }))).frames as FrameOf<Name>[];
    },
    enabled: enabled && run !== "" && prompt !== "",
    // While a checkpoint more is asked for, the others stay; another question has another answer.
    placeholderData: (before: FrameOf<Name>[] | undefined, query) => {
      const asked = query?.queryKey.slice(1, -1);
      return JSON.stringify(asked) === JSON.stringify(same) ? before : undefined;
    },
    staleTime: 60_000,
  });
}
