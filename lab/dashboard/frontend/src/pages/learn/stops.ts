/** The tour: in the order in which a token meets the parts of the model. */

export interface Stop {
  title: string;
  /** What it is and why, in two or three sentences. */
  text: string | ((vocabularySize: string) => string);
  /** The piece of lab/model.py that does it; null: it is done elsewhere. */
  code: string | null;
  /** Where that is, if not in model.py. */
  file?: string;
  /** Where it can be seen, with an example. */
  links: { to: string; label: string }[];
  /** What to try there. */
  attempt: string;
}

/** An address with its parameters. */
function at(path: string, params: Record<string, string>): string {
  return `${path}?${new URLSearchParams(params)}`;
}

const REPEATED = "The fox saw the goose, and the goose saw the fox. The fox saw the goose";

export const STOPS: Stop[] = [
  {
    title: "Text becomes tokens",
    text: (vocabularySize) =>
      `Before the model there is a list of ${vocabularySize} pieces of text. Every text can be cut into them, and from here on a token is nothing but its number in the list.`,
    code: null,
    file: "lab/tokenizer.py",
    links: [
      {
        to: at("/tokenizer", { text: "The fox, the foxes and Fox.\nunbelievable\nun believable" }),
        label: "Open the tokenizer",
      },
    ],
    attempt:
      "Put a space before a word, then write it with a capital: to the model these are three tokens that have nothing to do with each other, until it learns that they do.",
  },
  {
    title: "Tokens become vectors",
    text: "Each number picks a row of a table: a vector that is learnt. A second table adds where in the text the token stands. Their sum is the start of the residual stream.",
    code: "GPTModel.embed",
    links: [
      {
        to: at("/inside", { tab: "neighbours", prompt: "The fox said to the goose" }),
        label: "See which tokens are neighbours",
      },
    ],
    attempt:
      "Press play: at the first checkpoint the neighbours are chance; words that are used alike find each other as the run goes on.",
  },
  {
    title: "Attention gathers",
    text: "Every position asks a question of all positions before it and takes a weighted average of their answers. The weights are what the maps show: each row sums to one, and nothing lies right of the diagonal.",
    code: "MultiHeadAttention.attend_step_by_step",
    links: [{ to: at("/inside", { prompt: REPEATED }), label: "See where each head looks" }],
    attempt:
      "Look for a head with a line beside the diagonal: it looks at the token before. In a text that repeats itself, some heads find what came after the same word last time.",
  },
  {
    title: "Several heads, several questions",
    text: "One average can answer one question only, so the vector is split among heads that look in different directions. Not all of them turn out to be useful.",
    code: "MultiHeadAttention.split_heads",
    links: [{ to: at("/inside", { tab: "ablation", prompt: REPEATED }), label: "Switch each head off" }],
    attempt: "Choose the most orange head: you land on its attention map. Can you tell what it is good for?",
  },
  {
    title: "Each position works by itself",
    text: "The feed-forward network widens the vector fourfold, lets a soft threshold decide which units speak, and writes a result back. No position sees another one here.",
    code: "FeedForward",
    links: [{ to: at("/inside", { tab: "activations", part: "feed_forward" }), label: "See the hidden units" }],
    attempt:
      "Compare the layers: how large is the share near zero, and which layer has units that stay silent at every token?",
  },
  {
    title: "Blocks write corrections",
    text: "A block never replaces the vector: it adds to it, twice. Before it reads, a LayerNorm brings the numbers to a common size, so the stream itself is free to grow.",
    code: "TransformerBlock",
    links: [{ to: at("/inside", { tab: "activations" }), label: "Follow the residual stream" }],
    attempt:
      "Play it through the checkpoints: the stream of a fresh model hardly changes from block to block; a trained one writes much into it.",
  },
  {
    title: "Size, brought to a standard",
    text: "LayerNorm takes the mean off each vector and divides by its deviation. What is compared afterwards is the direction, no longer the length.",
    code: "LayerNorm",
    links: [{ to: at("/inside", { tab: "activations", part: "residual" }), label: "See how the numbers are spread" }],
    attempt:
      "The deviation below each picture mostly grows from layer to layer. Without a norm in front of every reader, each layer would have to expect another size.",
  },
  {
    title: "A vector becomes a guess",
    text: (vocabularySize) =>
      `At the end the vector is compared with every token's embedding, and the comparison becomes one probability for each of the ${vocabularySize}. The lens asks the same of every layer, as if it were the last.`,
    code: "GPTModel.forward",
    links: [
      {
        to: at("/inside", { tab: "lens", prompt: "Once upon a time there was a fox who lived by the mill" }),
        label: "Read the guesses of every layer",
      },
    ],
    attempt:
      "Follow a column downwards: where does the right token take the lead? Easy ones are settled low, hard ones at the last layer or not at all.",
  },
  {
    title: "The loss says how wrong it was",
    text: "Minus the logarithm of the probability that the model gave to what really came. Its mean over all tokens is the curve that training pushes down, and everything above is learnt from it alone.",
    code: "GPTModel.loss",
    links: [{ to: at("/inside", { tab: "loss", prompt: REPEATED, at: "16" }), label: "See which tokens surprise" }],
    attempt: "Press play and watch which bars fall first: frequent words and full stops, long before names.",
  },
  {
    title: "Drawing the next token",
    text: "To write, one token is drawn from the guess, put behind the text, and everything begins again. Temperature, top-k and top-p decide how daring the draw is.",
    code: null,
    file: "lab/inference/sampling.py",
    links: [
      { to: at("/playground", { prompt: "The fox", temperature: "0.8" }), label: "Let a checkpoint write" },
      { to: at("/playground", { prompt: "The fox", second: "1" }), label: "Early and late, side by side" },
    ],
    attempt: "Choose an unlikely alternative somewhere in the middle, and see how the story goes on from there.",
  },
];
