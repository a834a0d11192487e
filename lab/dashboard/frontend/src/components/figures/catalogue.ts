/**
 * What each number of the page is computed from: said where it stands, when somebody points at its name. A figure is
 * shown under its name here, so that name and number cannot come from two places.
 *
 * `file` and `field` say where a run keeps it; a figure that is computed for the page alone has none.
 */
export interface Entry {
  page: "Runs" | "Run" | "New run" | "Compare" | "Checkpoints" | "Playground" | "Inside" | "Tokenizer";
  label: string;
  /** One sentence. */
  from: string;
  /** file: field. */
  source?: string;
}

export const FIGURES = {
  "run.train_loss": {
    page: "Run",
    label: "Training loss",
    from: "Of the batch of the last written step: nats a token, before the step changed the weights.",
    source: "events.jsonl: train_loss",
  },
  "run.val_loss": {
    page: "Run",
    label: "Validation loss",
    from: "Of the latest evaluation, over every token of the validation text but its first: nats a token.",
    source: "events.jsonl: val_loss",
  },
  "run.best_val_loss": {
    page: "Run",
    label: "Best validation",
    from: "The lowest validation loss of all evaluations so far.",
    source: "events.jsonl: val_loss",
  },
  "run.perplexity": {
    page: "Run",
    label: "Perplexity",
    from: "exp of the latest validation loss: as unsure as among so many equally likely tokens.",
    source: "events.jsonl: val_loss",
  },
  "run.bits_per_byte": {
    page: "Run",
    label: "Bits per byte",
    from: "The latest validation loss in bits, for each byte of the validation text: what runs with different tokenizers can be compared by.",
    source: "events.jsonl: val_bits_per_byte",
  },
  "run.speed_now": {
    page: "Run",
    label: "Tokens/s now",
    from: "Tokens trained on from the last written step but one to the last, by the seconds between them; evaluations and pauses left out.",
    source: "events.jsonl: tokens_per_second",
  },
  "run.speed_mean": {
    page: "Run",
    label: "Tokens/s, mean",
    from: "Tokens trained on by the seconds they took, over all that the last process trained but its first step; evaluations and pauses left out.",
    source: "results.json: tokens_per_second",
  },
  "run.tokens_seen": {
    page: "Run",
    label: "Tokens seen",
    from: "Finished steps times the tokens of a step, each as often as it was trained on.",
    source: "state.json: step; config.yaml",
  },
  "run.passes": {
    page: "Run",
    label: "Passes",
    from: "Windows trained on, by the windows of the training text: how often the run has gone through its text.",
    source: "events.jsonl: epoch",
  },
  "run.progress": {
    page: "Run",
    label: "Steps done",
    from: "Finished optimizer steps, of those that are planned.",
    source: "state.json: step, total_steps",
  },
  "run.time_left": {
    page: "Run",
    label: "Time left",
    from: "Tokens still to be trained on, at the present tokens a second: evaluations and pauses come on top.",
    source: "state.json: tokens_per_second",
  },
  "run.turn": {
    page: "Run",
    label: "Validation rises",
    from: "Since the step of the lowest validation loss: the last three evaluations lie above it by more than 0.02 nats and than six deviations of the curve's noise.",
    source: "events.jsonl: val_loss",
  },
  "runs.step": {
    page: "Runs",
    label: "Step",
    from: "Finished optimizer steps, of those that are planned.",
    source: "state.json: step, total_steps",
  },
  "runs.train_loss": {
    page: "Runs",
    label: "Training loss",
    from: "Of the batch of the last written step, nats a token.",
    source: "events.jsonl: train_loss",
  },
  "runs.best_val_loss": {
    page: "Runs",
    label: "Best validation",
    from: "The lowest validation loss of all evaluations, nats a token.",
    source: "events.jsonl: val_loss",
  },
  "runs.speed": {
    page: "Runs",
    label: "Tokens/s",
    from: "While it trains, between the last two written steps; once it has ended, the mean. Evaluations and pauses left out.",
    source: "state.json, results.json: tokens_per_second",
  },
  "new.parameters": {
    page: "New run",
    label: "Parameters",
    from: "Counted from the options of the model; a table that embedding and head share counts once.",
  },
  "new.memory": {
    page: "New run",
    label: "Memory while training",
    from: "Estimated from the options: weights, gradients, what the optimizer keeps, and the activations of one micro-batch.",
  },
  "new.tokens_per_step": {
    page: "New run",
    label: "Tokens a step",
    from: "Windows of a micro-batch times micro-batches times devices, times the tokens of a window.",
  },
  "new.steps": {
    page: "New run",
    label: "Steps",
    from: "trainer.max_steps, or as many as the passes over the training windows take.",
  },
  "new.training_text": {
    page: "New run",
    label: "Training text",
    from: "The tokens of the text that are trained on; those behind them validate.",
  },
  "checkpoints.step": {
    page: "Checkpoints",
    label: "Step",
    from: "Finished optimizer steps when it was written: from the file's name, or the run's log.",
    source: "events.jsonl: checkpoint",
  },
  "checkpoints.val_loss": {
    page: "Checkpoints",
    label: "Validation loss",
    from: "Of the evaluation at the same step; a dash where there was none.",
    source: "events.jsonl: val_loss",
  },
  "checkpoints.size": {
    page: "Checkpoints",
    label: "Size",
    from: "Bytes of the file on the disk.",
  },
  "checkpoints.all": {
    page: "Checkpoints",
    label: "Disk space",
    from: "Bytes of all files together; one that has two names, as best.ckpt may have, counts once.",
  },
  "playground.probability": {
    page: "Playground",
    label: "probability",
    from: "The model's own for this token, before temperature, top-k and top-p.",
  },
  "playground.rank": {
    page: "Playground",
    label: "rank",
    from: "The place of this token among all of the vocabulary, by the model's own probability; 1 is the likeliest.",
  },
  "playground.entropy": {
    page: "Playground",
    label: "entropy",
    from: "Minus the mean of ln p over the vocabulary, by the model's own probabilities: how undecided it was.",
  },
  "playground.openness": {
    page: "Playground",
    label: "openness",
    from: "exp of the mean of minus ln p over the tokens that were drawn, p the model's own probability: how freely it chose. No perplexity of a text: that is measured on texts that the model has not written.",
  },
  "compare.difference": {
    page: "Compare",
    label: "difference",
    from: "The mean of this side less that of the baseline, in the unit of the chart; paired by seed where both sides have the same seeds.",
  },
  "compare.interval": {
    page: "Compare",
    label: "interval",
    from: "Student’s t at 95 % over the differences of the seeds; none where a side has a single seed and no pair.",
  },
  "compare.held_equal": {
    page: "Compare",
    label: "at equal cost",
    from: "The largest cost that all sides have reached; between two evaluations, on the straight line that joins them.",
    source: "events.jsonl: spent_tokens, spent_flops, spent_seconds, spent_processor_seconds",
  },
  "compare.mean": {
    page: "Compare",
    label: "mean",
    from: "Of the runs that differ in nothing but the seed, at the same place, as far as all of them are.",
    source: "events.jsonl",
  },
  "compare.result": {
    page: "Compare",
    label: "result",
    from: "As in the list of runs: the last or the lowest of what the run has logged, the speed as its mean.",
    source: "events.jsonl, results.json",
  },
  "inside.weight": {
    page: "Inside",
    label: "share of the look",
    from: "A head’s softmax over the scores of this token with those up to itself: the shares of a row sum to 100%.",
  },
  "inside.length": {
    page: "Inside",
    label: "length",
    from: "The square root of the sum of the squares of a token’s numbers in the residual stream.",
  },
  "inside.silent": {
    page: "Inside",
    label: "silent units",
    from: "Hidden units whose output lies below 0.01 in size at every token of this prompt, of all hidden units of the layer.",
  },
  "inside.near_zero": {
    page: "Inside",
    label: "near zero",
    from: "Outputs of hidden units that lie below 0.01 in size, of those of all units at all tokens of this prompt.",
  },
  "inside.rank": {
    page: "Inside",
    label: "rank",
    from: "The place of the token that really follows, by what this layer’s vectors give through the final norm and the head; 1 is the likeliest.",
  },
  "inside.right": {
    page: "Inside",
    label: "right",
    from: "Tokens of the prompt that have rank 1 behind the last layer, of all but the first.",
  },
  "inside.mean_loss": {
    page: "Inside",
    label: "mean loss",
    from: "Minus ln of the probability that the model gave to each token of the prompt but its first, in the mean; its exp is the perplexity.",
  },
  "inside.entropy": {
    page: "Inside",
    label: "entropy",
    from: "Minus the mean of ln p over the vocabulary, by the model’s guess for this place: 0 is sure.",
  },
  "inside.cosine": {
    page: "Inside",
    label: "cosine",
    from: "Of the angle between the rows of two tokens in the embedding: their product, by their lengths.",
  },
  "inside.map_share": {
    page: "Inside",
    label: "share of the differences",
    from: "The variance of the embeddings along the two axes of the map, of their whole variance.",
  },
  "inside.head_worth": {
    page: "Inside",
    label: "worth of a head",
    from: "The mean loss on this prompt with the head’s output set to zero, less that of the whole model.",
  },
  "inside.prompt_loss": {
    page: "Inside",
    label: "loss on the prompt",
    from: "Minus ln of the probability of each token of the prompt but its first, in the mean; in brackets, the difference to the whole model.",
  },
  "tokenizer.tokens": {
    page: "Tokenizer",
    label: "tokens",
    from: "Into which the chosen tokenizer cuts the text.",
  },
  "tokenizer.characters": {
    page: "Tokenizer",
    label: "characters",
    from: "Code points of the text: an emoji may be several.",
  },
  "tokenizer.bytes": {
    page: "Tokenizer",
    label: "bytes",
    from: "Of the text in UTF-8.",
  },
  "tokenizer.bytes_per_token": {
    page: "Tokenizer",
    label: "bytes a token",
    from: "Bytes of the text by its tokens.",
  },
  "tokenizer.different": {
    page: "Tokenizer",
    label: "different tokens",
    from: "Different ids among the tokens of the text.",
  },
} as const satisfies Record<string, Entry>;

export type FigureName = keyof typeof FIGURES;
