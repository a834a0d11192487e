/** The names under which answers are kept. */
export const keys = {
  runs: ["runs"] as const,
  summary: (run: string) => ["summary", run] as const,
  run: (run: string) => ["run", run] as const,
  options: (run: string) => ["run", run, "options"] as const,
  readings: (run: string, evaluations: number) => ["run", run, "readings", evaluations] as const,
  checkpoints: (run: string) => ["checkpoints", run] as const,
  profile: (run: string) => ["profile", run] as const,
  distributions: (run: string) => ["distributions", run] as const,
  log: (run: string) => ["log", run] as const,
  comparison: (runs: string[], by: string) => ["comparison", by, ...runs] as const,
  sweeps: ["sweeps"] as const,
  config: ["config"] as const,
  corpora: ["corpora"] as const,
  tokens: (text: string, tokenizer: string, vocabularySize: number) =>
    ["tokens", text, tokenizer, vocabularySize] as const,
  inspect: (...what: unknown[]) => ["inspect", ...what] as const,
  timeline: (...what: unknown[]) => ["timeline", ...what] as const,
};
