import { flagParam, numberParam, textParam, useParam } from "@/address/useParam";
import type { Order } from "@/api/generate";
import type { Shape } from "./reshape";

export const PROMPT = "The fox";
const codecs = {
  prompt: textParam(PROMPT),
  temperature: numberParam(0.8),
  topK: numberParam(50),
  topP: numberParam(1),
  seed: numberParam(1),
  maxTokens: numberParam(80),
  live: flagParam(true),
};
/** As many alternatives as the server tells: with a top-k within them, what is drawn from can be told exactly. */
const ALTERNATIVES = 50;

/** What to write and how, from the address. */
export function useSettings() {
  const [prompt, setPrompt] = useParam("prompt", codecs.prompt);
  const [temperature, setTemperature] = useParam("temperature", codecs.temperature);
  const [topK, setTopK] = useParam("top_k", codecs.topK);
  const [topP, setTopP] = useParam("top_p", codecs.topP);
  const [seed, setSeed] = useParam("seed", codecs.seed);
  const [maxTokens, setMaxTokens] = useParam("max_tokens", codecs.maxTokens);
  const [live, setLive] = useParam("live", codecs.live);
  // At their ends, top-k and top-p cut nothing off.
  const shape: Shape = { temperature, topK: topK > 0 ? topK : null, topP: topP < 1 ? topP : null };
  const order: Omit<Order, "checkpoint"> = {
    prompt,
    temperature,
    top_k: shape.topK,
    top_p: shape.topP,
    seed,
    max_tokens: maxTokens,
    alternatives: ALTERNATIVES,
  };
  return {
    ...{
      prompt,
      setPrompt,
      temperature,
      setTemperature,
      topK,
      setTopK,
      topP,
      setTopP,
      seed,
      setSeed,
      maxTokens,
      setMaxTokens,
      live,
      setLive,
    },
    shape,
    order,
  };
}

export type Settings = ReturnType<typeof useSettings>;
