/** All cards. Twenty of them answer what a learner asks. */
import type { Card, Place } from "./card";
import { COMPARING } from "./comparing";
import { INSIDE } from "./inside";
import { TRAINING } from "./training";

export const CARDS: Card[] = [...INSIDE, ...TRAINING, ...COMPARING];

/** The twenty, in the order in which they come up. */
export const TWENTY = [
  "token",
  "parameters",
  "loss",
  "rate",
  "warmup",
  "memorise",
  "step-100",
  "previous-token",
  "layer-3",
  "hard-tokens",
  "one-head",
  "twice",
  "best-possible",
  "temperature",
  "memory",
  "slow",
  "stop",
  "gpt2",
  "differ",
  "own-idea",
];

export function cardsUnder(place: Place): Card[] {
  return CARDS.filter(({ under }) => under.includes(place));
}
