/** How many tokens a model knows: sentences about it take the number from here. */
import { useConfigSchema } from "./config";
import { useRunOptions } from "./runs";

/** The size of the vocabulary of a run's model; without a run, that of a new model. undefined until it is known. */
export function useVocabularySize(run = ""): number | undefined {
  const { data: options } = useRunOptions(run, run !== "");
  const { data: schema } = useConfigSchema();
  const usual = schema?.options.find(({ name }) => name === "model.vocab_size")?.default;
  const own = (options?.model as { vocab_size?: unknown } | undefined)?.vocab_size;
  return [own, usual].find((size) => typeof size === "number");
}

/** The number in a sentence. */
export function counted(size: number | undefined): string {
  return size?.toLocaleString("en") ?? "…";
}
