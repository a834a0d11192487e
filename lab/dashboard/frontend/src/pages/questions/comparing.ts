/** Cards for what several runs show together. */
import type { Card } from "./card";

export const COMPARING: Card[] = [
  {
    id: "differ",
    question: "How do two runs differ?",
    says: () =>
      "In the options of the table, and in what came of them: a difference counts as more than luck only where its whole interval over the seeds lies on one side of zero.",
    under: ["verdict"],
    to: () => "/compare",
    panel: "comparison",
    command: 'python -m lab.compare "outputs/*/*"',
    code: { file: "lab/comparison/verdict.py", name: "_measure", line: "told = difference(" },
  },
  {
    id: "twice",
    question: "What changes with twice the data, width or depth?",
    says: () =>
      "Put FLOPs across: a wider or deeper model learns more from a token and pays more for it, so that curves over tokens flatter it. Which lies lower at the same cost?",
    under: ["curves"],
    to: () => "/compare",
    panel: "comparison",
    command: "python -m lab.train sweep=width",
    code: { file: "lab/comparison/verdict.py", name: "_measure", line: "budget = min(" },
  },
  {
    id: "parameters",
    question: "How many parameters are there, and where?",
    says: ({ vocabularySize }) =>
      `In a small model most of them are the table of tokens, a row for each${vocabularySize ? ` of the ${vocabularySize.toLocaleString("en")}` : ""}; the blocks have the rest, about 12 times the width squared in each.`,
    under: ["outcomes"],
    to: () => "/new",
    panel: "estimate",
    command: "python -m lab.summary model=nano",
    code: {
      file: "lab/model.py",
      name: "GPTModel.num_parameters",
      line: "parameter.numel() for parameter in self.parameters()",
    },
  },
  {
    id: "own-idea",
    question: "How do I try an idea of my own?",
    says: () =>
      "An option of the form, or a class in a file of yours that takes the place of a part. Then the same seeds with and without it, and the verdict says whether it was the idea or luck.",
    under: ["outcomes"],
    to: () => "/new",
    panel: "estimate",
    command: 'python -m lab.experiment idea="optimizer.lr=1e-3" seeds=5',
    code: { file: "lab/parts/contract.py", name: "_try", line: "block(x)).shape != x.shape" },
  },
];
