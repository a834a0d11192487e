/** What temperature, top-k and top-p make of the model's own probabilities: the same steps as lab/inference/sampling.py. */

export interface Shape {
  temperature: number;
  topK: number | null;
  topP: number | null;
}

/**
 * From the likeliest tokens' own probabilities, best first, to those they are drawn with. null where that cannot be told
 * from them: without a top-k among them, the rest of the vocabulary has a say.
 */
export function reshape(own: number[], { temperature, topK, topP }: Shape): number[] | null {
  const first = own[0];
  if (first === undefined) return [];
  if (temperature === 0) return own.map((_, at) => (at === 0 ? 1 : 0));
  if (topK === null || topK > own.length) return null;
  // Softmax of logits / T is p^(1/T), made to sum to one; relative to the largest, so that nothing runs out of digits.
  const kept = own.map((p, at) => (at < topK ? (p / first) ** (1 / temperature) : 0));
  const cut = topP === null ? kept : nucleus(normalised(kept), topP);
  return normalised(cut);
}

/** The fewest that have `share` together: a token stays while those before it have less. */
function nucleus(ranked: number[], share: number): number[] {
  let before = 0;
  return ranked.map((p) => {
    const stays = before < share;
    before += p;
    return stays ? p : 0;
  });
}

function normalised(values: number[]): number[] {
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => (sum > 0 ? value / sum : 0));
}
