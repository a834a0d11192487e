/** A card: a question, what the chart above it says about it, and the line of code that makes it so. */
import type { Source } from "./sources";

/** The charts that cards stand under. */
export const PLACES = [
  "loss",
  "bits",
  "rate",
  "norm",
  "speed",
  "weights",
  "profile",
  "samples",
  "attention",
  "activations",
  "lens",
  "token-loss",
  "neighbours",
  "map",
  "ablation",
  "verdict",
  "curves",
  "outcomes",
  "tokenizer",
  "playground",
] as const;
export type Place = (typeof PLACES)[number];

/** What a chart knows of the run that it shows; a card says more with it, and something without. */
export interface Facts {
  vocabularySize?: number | undefined;
  /** Validation losses, nats a token, and where they were measured. */
  first?: Measured | undefined;
  best?: Measured | undefined;
  last?: Measured | undefined;
  /** The last validation in bits a byte. */
  bits?: Measured | undefined;
  /** Of the best possible model, nats a token. */
  floor?: number | undefined;
  /** The highest learning rate so far, and the step of it. */
  peakRate?: Measured | undefined;
  /** Gradient norms: the last one, and the largest. */
  norm?: Measured | undefined;
  largestNorm?: Measured | undefined;
  tokensPerSecond?: number | undefined;
  /** Texts that the run wrote. */
  samples?: number | undefined;
  /** Checkpoints that are kept. */
  checkpoints?: number | undefined;
  /** Of the text in the tokenizer. */
  tokens?: number | undefined;
  bytes?: number | undefined;
  temperature?: number | undefined;
}

export interface Measured {
  value: number;
  step: number;
}

export interface Card {
  id: string;
  question: string;
  /** What was just seen, in a sentence or two. */
  says: (facts: Facts) => string;
  under: Place[];
  /** The page that answers it: where, for this run ("" if there is none), and the panel's test id. */
  to: (run: string) => string;
  panel: string;
  /** What answers it on the command line. */
  command: string;
  /** The line that makes it so: a name in a file, and a piece of the line. */
  code: { file: Source; name: string; line: string };
}
