/** Cards for what goes on in the model while it reads and writes. */
import type { Card } from "./card";

/** The page Inside, with a run's last checkpoint. */
function inside(tab: string): (run: string) => string {
  return (run) =>
    `/inside?${new URLSearchParams({ ...(run ? { run } : {}), ...(tab === "attention" ? {} : { tab }) })}`;
}

export const INSIDE: Card[] = [
  {
    id: "token",
    question: "What is a token here?",
    says: ({ tokens, bytes }) =>
      `${tokens && bytes ? `${bytes.toLocaleString("en")} bytes of text have become ${tokens.toLocaleString("en")} tokens, ${(bytes / tokens).toFixed(1)} bytes each. ` : ""}A token is a piece of text with a number; the model gets the numbers and nothing else.`,
    under: ["tokenizer"],
    to: () => "/tokenizer",
    panel: "pieces",
    command: 'python -m lab.tokenize text="The fox and the crow"',
    code: { file: "lab/tokenizer.py", name: "Tokenizer.encode_array", line: "self._encoding.encode_to_numpy(" },
  },
  {
    id: "previous-token",
    question: "Which head looks at the token before?",
    says: () =>
      "One whose map has a bright line beside the diagonal: row by row, most of the weight lies one place to the left. A row is a softmax over everything up to its own token, so it sums to one.",
    under: ["attention"],
    to: inside("attention"),
    panel: "seen-attention",
    command: 'python -m lab.inspect checkpoint=last prompt="The fox said" to=inside',
    code: {
      file: "lab/model.py",
      name: "MultiHeadAttention.attend_step_by_step",
      line: "torch.softmax(scores, dim=-1)",
    },
  },
  {
    id: "layer-3",
    question: "What does layer 3 know already?",
    says: () =>
      "Each row is a layer, read as if it were the last one: its vectors go through the final norm and the head. Where the right token takes the lead, that layer knew it.",
    under: ["lens", "activations"],
    to: inside("lens"),
    panel: "seen-lens",
    command: 'python -m lab.inspect checkpoint=last prompt="Once upon a time" to=inside',
    code: {
      file: "lab/inspection/internals.py",
      name: "look",
      line: "_log_probabilities(model, stream[layer + 1].value)",
    },
  },
  {
    id: "hard-tokens",
    question: "Which tokens are hard?",
    says: ({ vocabularySize }) =>
      `The tall bars: there the model gave little probability to what came.${vocabularySize ? ` A bar of ${Math.log(vocabularySize).toFixed(1)} is a blind guess.` : ""} Names and first words of sentences stay tall, ends of words fall first.`,
    under: ["token-loss"],
    to: inside("loss"),
    panel: "seen-token-loss",
    command: 'python -m lab.inspect checkpoint=last prompt="The fox saw the goose" to=inside',
    code: { file: "lab/inspection/internals.py", name: "look", line: "token_losses=" },
  },
  {
    id: "one-head",
    question: "What does one head do? Switch it off.",
    says: () =>
      "For each square one head was silenced and the loss measured again. Orange: the model missed it. White: on this prompt nobody noticed.",
    under: ["ablation"],
    to: inside("ablation"),
    panel: "seen-ablation",
    command: 'python -m lab.inspect checkpoint=last prompt="The fox saw the goose" to=inside',
    code: { file: "lab/inspection/internals.py", name: "_without_each_head", line: "inputs[0] * mask" },
  },
  {
    id: "embedding",
    question: "Which tokens does the model take for alike?",
    says: () =>
      "Those whose rows of the embedding point the same way. Nobody told it which words belong together: rows that are used alike are pushed alike.",
    under: ["neighbours", "map"],
    to: inside("neighbours"),
    panel: "seen-neighbours",
    command: 'python -m lab.inspect checkpoint=last prompt="The fox" to=inside',
    code: { file: "lab/inspection/internals.py", name: "neighbors", line: "torch.cosine_similarity(" },
  },
  {
    id: "temperature",
    question: "What does temperature do?",
    says: ({ temperature }) =>
      temperature === 0
        ? "At 0 nothing is drawn: the likeliest token is taken every time, and the same text comes every time."
        : `Before the draw, every score is divided by ${temperature ?? "the temperature"}: ${
            temperature === undefined || temperature === 1
              ? "below 1 likely tokens become likelier, above 1 the rare ones get their chance."
              : temperature < 1
                ? "likely tokens become likelier, and the text more careful."
                : "rare tokens get their chance, and the text becomes bolder."
          }`,
    under: ["playground"],
    to: (run) => (run ? `/playground?run=${run}` : "/playground"),
    panel: "seen-playground",
    command: 'python -m lab.generate checkpoint=last prompt="The fox" temperature=1.2',
    code: {
      file: "lab/inference/sampling.py",
      name: "next_token_probabilities",
      line: "sampling.temperature, fp32.tiny",
    },
  },
  {
    id: "gpt2",
    question: "What would GPT-2 say here?",
    says: () =>
      "“GPT-2 beside it” in the playground lets it go on from the same prompt, and sets what each expects next side by side. GPT-2 has the same parts and 124 million parameters, trained on millions of web pages; its weights come from the Hugging Face hub, once.",
    under: ["playground"],
    to: (run) => `/playground?${new URLSearchParams({ ...(run ? { run } : {}), gpt2: "1" })}`,
    panel: "gpt2",
    command: 'python -m lab.generate checkpoint=gpt2 prompt="The fox"',
    code: { file: "lab/interchange/pretrained.py", name: "open_pretrained", line: "hub.find(wanted, option)" },
  },
];
