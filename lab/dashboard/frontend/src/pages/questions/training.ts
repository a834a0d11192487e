/** Cards for what a training shows while it goes. */
import type { Card, Facts } from "./card";

const of = (run: string, tab?: string) => (run ? `/runs/${run}${tab ? `?tab=${tab}` : ""}` : "/runs");
const nats = (value: number) => value.toFixed(2);

export const TRAINING: Card[] = [
  {
    id: "loss",
    question: "What does a loss of 10.8 mean?",
    says: ({ vocabularySize, first }) => {
      const size = vocabularySize ?? 50_257;
      const guess = `ln(${size.toLocaleString("en")}) = ${nats(Math.log(size))}`;
      if (!first) return `${guess}: what a model scores that gives every token of the vocabulary the same probability.`;
      const near = Math.abs(first.value - Math.log(size)) < 0.3;
      return near
        ? `At step ${first.step} the loss is ${nats(first.value)}, and ${guess}: a fresh model guesses among all tokens alike.`
        : `At step ${first.step} the loss is ${nats(first.value)}; guessing among all tokens alike would be ${guess}.`;
    },
    under: ["loss"],
    to: of,
    panel: "seen-loss",
    command: "python -m lab.evaluate checkpoint=last",
    code: { file: "lab/model.py", name: "GPTModel.loss", line: "F.cross_entropy(" },
  },
  {
    id: "memorise",
    question: "When does it begin to learn by heart?",
    says: ({ best, last }) => {
      if (!best || !last)
        return "Where validation turns upwards while training still falls, the model learns the text itself.";
      if (last.value <= best.value + 0.005)
        return `Not yet: the last validation loss, ${nats(last.value)}, is the lowest. It would show as validation that rises while training falls.`;
      return `From step ${best.step} on: validation was lowest there (${nats(best.value)}), and at step ${last.step} it is ${nats(last.value)}, whatever training does.`;
    },
    under: ["loss"],
    to: of,
    panel: "seen-loss",
    command: "python -m lab.train experiment=overfit",
    code: { file: "lab/training/callbacks.py", name: "Record.on_validation_end", line: 'self.best["val_loss"]' },
  },
  {
    id: "best-possible",
    question: "How far is it from the best possible model?",
    says: ({ floor, last }) =>
      floor !== undefined && last
        ? `${nats(last.value - floor)} nats: the best possible model of this text would score ${nats(floor)}, and this one scores ${nats(last.value)}.`
        : "Of a text by people nobody knows. Of one by a grammar it is known exactly, and drawn as a line under the curves.",
    under: ["loss"],
    to: of,
    panel: "seen-loss",
    command: "python -m lab.train corpus=grammar corpus.documents=20000 tokenizer=chars",
    code: { file: "lab/data/grammar.py", name: "Grammar.information", line: "math.log2(p)" },
  },
  {
    id: "bits",
    question: "Why bits per byte, and not the loss?",
    says: ({ last, bits }) =>
      `${last && bits && last.step === bits.step ? `At step ${last.step}, ${nats(last.value)} nats for each token are ${bits.value.toFixed(3)} bits for each byte of the text. ` : ""}A loss is for each token, and another tokenizer cuts the same text into more or fewer of them. Its bytes are the same for all: so many bits would a file of them take that was packed with this model.`,
    under: ["bits"],
    to: of,
    panel: "seen-bits",
    command: "python -m lab.evaluate checkpoint=last",
    code: {
      file: "lab/training/metrics.py",
      name: "LanguageModelMetrics.compute",
      line: "nll / math.log(2) / n_bytes",
    },
  },
  {
    id: "warmup",
    question: "Why does the learning rate start low?",
    says: ({ peakRate }) =>
      `${peakRate ? `It is largest at step ${peakRate.step} (${peakRate.value.toExponential(1)}). ` : ""}In the first steps the optimizer knows little of the gradients, and a full step into a poor direction is not easily mended: so the rate rises first.`,
    under: ["rate"],
    to: of,
    panel: "seen-rate",
    command: "python -m lab.train -m schedule.warmup_steps=0,20 model=nano",
    code: { file: "lab/optim/schedules.py", name: "warmup", line: "(step + 1) / warmup_steps" },
  },
  {
    id: "rate",
    question: "Is my learning rate too high?",
    says: ({ norm, largestNorm }) =>
      norm && largestNorm
        ? `The longest gradient so far, ${largestNorm.value.toPrecision(3)}, came at step ${largestNorm.step}; now it is ${norm.value.toPrecision(3)}. Norms that stay far above 1, with a loss that jumps or stands still, speak for a rate that is too high.`
        : "Gradient norms that stay far above 1, with a loss that jumps or stands still, speak for a rate that is too high.",
    under: ["norm"],
    to: of,
    panel: "seen-norm",
    command: "python -m lab.find_lr model=nano",
    code: { file: "lab/training/module.py", name: "GPTModule.configure_gradient_clipping", line: "clip_grad_norm_(" },
  },
  {
    id: "slow",
    question: "Why is it slow?",
    says: ({ tokensPerSecond }) =>
      `${tokensPerSecond ? `${Math.round(tokensPerSecond).toLocaleString("en")} tokens a second. ` : ""}Each token costs about six operations for every weight that multiplies, and attention more the longer the context; the profile says which part takes the time.`,
    under: ["speed", "profile"],
    to: (run) => of(run, "speed"),
    panel: "seen-profile",
    command: "python -m lab.profile model=small",
    code: { file: "lab/parts/cost.py", name: "flops_per_token", line: "return 6 * multiplied" },
  },
  {
    id: "profile",
    question: "Where does the time of a step go?",
    says: () =>
      "To the part in whose code an operation stands; what the backward pass does counts for the part whose gradient it is. Light is what surrounds a part’s matrix products: memory that is read and written. In a small model with a large vocabulary, the head takes the most.",
    under: ["profile"],
    to: (run) => of(run, "speed"),
    panel: "seen-profile",
    command: "python -m lab.profile model=small",
    code: { file: "lab/profiling/attribution.py", name: "seconds_by_part", line: "event.self_cpu_time_total" },
  },
  {
    id: "weights",
    question: "How do weights and gradients change?",
    says: () =>
      "Column by column an evaluation, dark where many numbers lie. Weights leave their narrow bell as they learn; gradients are sorted by powers of two, and move down as there is less left to learn. A part whose gradients are all zero learns nothing.",
    under: ["weights"],
    to: (run) => of(run, "weights"),
    panel: "seen-weights",
    command: "python -m lab.train -m optimizer.lr=1e-4,1e-2 model=nano",
    code: { file: "lab/training/distributions.py", name: "gradients", line: "torch.frexp(nonzero)" },
  },
  {
    id: "memory",
    question: "What fits into my memory?",
    says: () =>
      "For each parameter the weight, its gradient and two averages of AdamW are held, 16 bytes in all; activations come on top, and grow with batch and context. The estimate beside the form adds it up.",
    under: ["speed"],
    to: () => "/new",
    panel: "estimate",
    command: "python -m lab.summary model=medium",
    code: { file: "lab/training/memory_estimate.py", name: "training_memory", line: '"optimizer": remembered' },
  },
  {
    id: "stop",
    question: "What if I stop now?",
    says: ({ checkpoints }) =>
      `Stop ends the run after the step that it is at. ${
        checkpoints === undefined
          ? "A run that keeps checkpoints can go on from there"
          : checkpoints > 0
            ? `${checkpoints === 1 ? "One checkpoint is" : `${checkpoints} checkpoints are`} kept, so it can go on from there`
            : "This run keeps no checkpoint: press Save now first, or its weights are gone"
      }; the curves stay in any case.`,
    under: ["samples"],
    to: (run) => of(run, "checkpoints"),
    panel: "run-state",
    command: "python -m lab.train resume=last trainer.max_epochs=8",
    code: { file: "lab/training/module.py", name: "GPTModule.on_save_checkpoint", line: "checkpoint[" },
  },
  {
    id: "step-100",
    question: "What did the model write at step 100?",
    says: ({ samples }) =>
      `${samples ? `This run has written ${samples === 1 ? "one text" : `${samples} texts`}. ` : ""}At every evaluation it goes on from the same prompt, with a seed made of the run's and the step: what changes from text to text is the model, and the draw.`,
    under: ["samples"],
    to: (run) => of(run, "samples"),
    panel: "seen-samples",
    command: 'python -m lab.generate checkpoint=last prompt="The fox"',
    code: {
      file: "lab/training/callbacks.py",
      name: "Samples.on_validation_end",
      line: "self.tokenizer.encode(self.config.prompt)",
    },
  },
];

/** From the tracks of a run. */
export function factsOf(tracks: Record<string, { steps: number[]; values: (number | null)[] }>): Facts {
  const points = (name: string) => {
    const { steps = [], values = [] } = tracks[name] ?? {};
    return values.flatMap((value, at) => (value === null ? [] : [{ value, step: steps[at] ?? 0 }]));
  };
  const least = (all: { value: number; step: number }[], sign: 1 | -1) =>
    all.reduce<{ value: number; step: number } | undefined>(
      (found, one) => (found === undefined || sign * one.value < sign * found.value ? one : found),
      undefined,
    );
  const losses = points("val_loss");
  return {
    first: losses[0],
    best: least(losses, 1),
    last: losses.at(-1),
    bits: points("val_bits_per_byte").at(-1),
    floor: points("floor_loss").at(-1)?.value,
    peakRate: least(points("learning_rate"), -1),
    norm: points("grad_norm").at(-1),
    largestNorm: least(points("grad_norm"), -1),
    tokensPerSecond: points("tokens_per_second").at(-1)?.value,
  };
}
