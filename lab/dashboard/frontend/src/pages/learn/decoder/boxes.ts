/** The boxes of the diagram, in the order in which a token meets them: from a model's structure alone. */
import type { Structure } from "@/api/decoder";
import type { File } from "../sources";

export const BOXES = [
  "token",
  "position",
  "norm1",
  "attention",
  "add1",
  "norm2",
  "feed_forward",
  "add2",
  "block",
  "final_norm",
  "head",
] as const;
export type BoxId = (typeof BOXES)[number];

/** A tensor's dimensions: what each is called, and how many. */
export type Dims = [name: string, size: number][];

export interface Box {
  id: BoxId;
  title: string;
  /** Its kind and size, in a few words. */
  kind: string;
  /** What it does, and why. */
  text: string;
  /** Where it is written; empty: in a file of the user's own. */
  code: { name: string; file: File }[];
  /** What flows through it. */
  shapes: { name: string; dims: Dims }[];
  /** What of it is learnt. */
  parameters: { name: string; shape: number[] }[];
  /** How often it is there. */
  times: number;
}

/** How a layer is wired; "own": its author knows. */
export type Wiring = "pre_norm" | "post_norm" | "own";

export function wiringOf({ block }: Structure): Wiring {
  return block === "pre_norm" || block === "post_norm" ? block : "own";
}

/** Numbers in tensors of these shapes. */
export function count(parameters: { shape: number[] }[]): number {
  return parameters.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}

/** "/home/me/mine.py:Squeeze" as "Squeeze of mine.py". */
export function ownName(reference: string): string {
  const [, file, name] = /([^/\\]+):(\w+)$/.exec(reference) ?? [null, "", reference];
  return file ? `${name} of ${file}` : name;
}

/** All boxes of a model, for a text of `seq` tokens. */
export function boxesOf(model: Structure, seq: number): Partial<Record<BoxId, Box>> {
  const wiring = wiringOf(model);
  const all: (Box | null)[] = [
    token(model, seq),
    position(model, seq),
    norm(model, seq, "norm1"),
    attention(model, seq),
    wiring === "own" ? null : add(model, seq, "add1"),
    norm(model, seq, "norm2"),
    feedForward(model, seq),
    wiring === "own" ? null : add(model, seq, "add2"),
    wiring === "own" ? ownBlock(model, seq) : null,
    norm(model, seq, "final_norm"),
    head(model, seq),
  ];
  return Object.fromEntries(all.flatMap((box) => (box ? [[box.id, box]] : [])));
}

function stream({ emb_dim }: Structure, seq: number): Dims {
  return [
    ["batch", 1],
    ["seq", seq],
    ["emb_dim", emb_dim],
  ];
}

function learnt(model: Structure, prefix: string) {
  return model.parameters.filter(({ name }) => name.startsWith(`${prefix}.`));
}

function token(model: Structure, seq: number): Box {
  const ids: Dims = [
    ["batch", 1],
    ["seq", seq],
  ];
  return {
    id: "token",
    title: "Token embedding",
    kind: `${figure(model.vocab_size)} tokens, ${figure(model.emb_dim)} numbers each`,
    text: "The token's number picks a row of a table. The row is learnt, and it is all that the model knows of the token before it sees the others.",
    code: [{ name: "GPTModel.embed", file: "lab/model.py" }],
    shapes: [
      { name: "token ids", dims: ids },
      { name: "their vectors", dims: stream(model, seq) },
    ],
    parameters: learnt(model, "token_embedding"),
    times: 1,
  };
}

/** null: positions are told in attention, or not at all. */
function position(model: Structure, seq: number): Box | null {
  const own = model.own.includes("position");
  const parameters = learnt(model, "position_embedding");
  if (model.position !== "learned" && !(own && parameters.length > 0)) return null;
  return {
    id: "position",
    title: "Position embedding",
    kind: own ? ownName(model.position) : `${figure(model.context_length)} positions, learned`,
    text: "A second table has a vector for each place in the text. Added to the token's, it lets attention tell an early word from a late one.",
    code: own ? [] : [{ name: "GPTModel.embed", file: "lab/model.py" }],
    shapes: [{ name: "their sum", dims: stream(model, seq) }],
    parameters,
    times: 1,
  };
}

const NORM_TEXT: Record<string, string> = {
  layernorm:
    "Takes the mean off the vector and divides by its deviation; then each number gets a learnt factor and a learnt shift. What comes next always meets numbers of one size.",
  rmsnorm:
    "Divides the vector by the root of the mean of its squares; then each number gets a learnt factor. What comes next always meets numbers of one size.",
};

function norm(model: Structure, seq: number, id: "norm1" | "norm2" | "final_norm"): Box | null {
  const own = model.own.includes("norm");
  const final = id === "final_norm";
  const parameters = learnt(model, final ? id : `blocks.*.${id}`);
  if (wiringOf(model) === "own" && !final && parameters.length === 0) return null;
  const rms = model.norm === "rmsnorm";
  return {
    id,
    title: final ? "Final norm" : `Norm ${id.at(-1) ?? ""}`,
    kind: own ? ownName(model.norm) : rms ? "RMSNorm" : "LayerNorm",
    text: NORM_TEXT[model.norm] ?? "A norm of your own: it brings each token's vector to one size.",
    code: own
      ? []
      : [rms ? { name: "RMSNorm", file: "lab/parts/rmsnorm.py" } : { name: "LayerNorm", file: "lab/model.py" }],
    shapes: [
      { name: "in", dims: stream(model, seq) },
      { name: "out", dims: stream(model, seq) },
    ],
    parameters,
    times: final ? 1 : model.n_layers,
  };
}

function attention(model: Structure, seq: number): Box {
  const { n_heads, n_kv_heads, head_dim } = model;
  const heads = (count: number, name: string): Dims => [
    ["batch", 1],
    [name, count],
    ["seq", seq],
    ["head_dim", head_dim],
  ];
  const own = model.own.includes("attention");
  const kinds = [
    own ? ownName(model.attention) : `${n_heads} ${n_heads === 1 ? "head" : "heads"} of ${head_dim}`,
    n_kv_heads === n_heads ? "" : `${n_kv_heads} for keys and values`,
    model.qk_norm ? "normed queries and keys" : "",
    model.position === "learned" || model.position === "none" ? "" : positionWord(model),
    model.sliding_window === null ? "" : `window of ${model.sliding_window}`,
  ];
  const pairs: Dims = [
    ["batch", 1],
    ["n_heads", n_heads],
    ["seq", seq],
    ["seq", seq],
  ];
  return {
    id: "attention",
    title: "Attention",
    kind: kinds.filter(Boolean).join(", "),
    text: "Each token sends out a query and meets the key of every token up to itself. How well they fit becomes a weight, and the weighted sum of the values is what it takes home. This is the only place where tokens learn of each other.",
    code: own ? [] : attentionCode(model),
    shapes: [
      { name: "in", dims: stream(model, seq) },
      { name: "queries", dims: heads(n_heads, "n_heads") },
      { name: "keys, values", dims: heads(n_kv_heads, n_kv_heads === n_heads ? "n_heads" : "n_kv_heads") },
      { name: "scores, weights", dims: pairs },
      { name: "values, weighted", dims: heads(n_heads, "n_heads") },
      { name: "out", dims: stream(model, seq) },
    ],
    parameters: learnt(model, "blocks.*.attention"),
    times: model.n_layers,
  };
}

function positionWord({ position, own }: Structure): string {
  if (own.includes("position")) return `positions by ${ownName(position)}`;
  return position === "rope" ? "positions by rotation (rope)" : "positions by distance (alibi)";
}

function attentionCode(model: Structure): Box["code"] {
  const plain = {
    qk_norm: !model.qk_norm,
    position: model.position === "learned" || model.position === "none",
    shared: model.n_kv_heads === model.n_heads,
    window: model.sliding_window === null,
  };
  const changed = Object.values(plain).includes(false) || model.head_dim * model.n_heads !== model.emb_dim;
  const code: (Box["code"][number] | false)[] = [
    { name: "MultiHeadAttention.attend_step_by_step", file: "lab/model.py" },
    changed
      ? { name: "Attention.forward", file: "lab/parts/attention.py" }
      : { name: "MultiHeadAttention.forward", file: "lab/model.py" },
    changed
      ? { name: "Attention.split_heads", file: "lab/parts/attention.py" }
      : { name: "MultiHeadAttention.split_heads", file: "lab/model.py" },
    !plain.qk_norm && { name: "QKNorm", file: "lab/parts/qk_norm.py" },
    model.position === "rope" && { name: "RotaryPosition", file: "lab/parts/rope.py" },
    model.position === "alibi" && { name: "LinearBias", file: "lab/parts/alibi.py" },
    !plain.shared && { name: "shared", file: "lab/parts/grouped_query.py" },
    !plain.window && { name: "within", file: "lab/parts/sliding_window.py" },
    { name: "MultiHeadAttention.merge_heads", file: "lab/model.py" },
  ];
  return code.filter((one) => one !== false);
}

const FEED_FORWARDS: Record<string, { name: string; file: File; word: string }> = {
  gelu: { name: "FeedForward", file: "lab/model.py", word: "GELU" },
  swiglu: { name: "SwiGLU", file: "lab/parts/swiglu.py", word: "SwiGLU" },
  relu2: { name: "SquaredReLU", file: "lab/parts/relu2.py", word: "squared ReLU" },
};

function feedForward(model: Structure, seq: number): Box {
  const known = FEED_FORWARDS[model.feed_forward];
  const { emb_dim, hidden_dim } = model;
  const hidden: Dims = [
    ["batch", 1],
    ["seq", seq],
    ["hidden_dim", hidden_dim ?? 0],
  ];
  return {
    id: "feed_forward",
    title: "Feed-forward",
    kind: known
      ? `${figure(emb_dim)} → ${figure(hidden_dim ?? 0)} → ${figure(emb_dim)}, ${known.word}`
      : ownName(model.feed_forward),
    text: "Works on each token by itself: a wide row of hidden units, each of which wakes for something, and a matrix that writes back what they have to say.",
    code: known ? [known] : [],
    shapes: [
      { name: "in", dims: stream(model, seq) },
      ...(hidden_dim === null ? [] : [{ name: "hidden units", dims: hidden }]),
      { name: "out", dims: stream(model, seq) },
    ],
    parameters: learnt(model, "blocks.*.feed_forward"),
    times: model.n_layers,
  };
}

function add(model: Structure, seq: number, id: "add1" | "add2"): Box {
  const what = id === "add1" ? "attention" : "feed-forward";
  return {
    id,
    title: `Add ${what}`,
    kind: "to the stream",
    text: `What ${what} has made is added to the stream, never put in its place. So each layer writes a correction, and the gradient finds its way back undivided.`,
    code: [
      wiringOf(model) === "post_norm"
        ? { name: "PostNormBlock", file: "lab/parts/post_norm.py" }
        : { name: "TransformerBlock", file: "lab/model.py" },
    ],
    shapes: [
      { name: "stream", dims: stream(model, seq) },
      { name: "added", dims: stream(model, seq) },
      { name: "sum", dims: stream(model, seq) },
    ],
    parameters: [],
    times: model.n_layers,
  };
}

function ownBlock(model: Structure, seq: number): Box {
  const known = ["norm1", "norm2", "attention", "feed_forward"].map((part) => `blocks.*.${part}.`);
  return {
    id: "block",
    title: "The layer",
    kind: ownName(model.block),
    text: "This layer is a class of your own: how it puts its parts together stands in your file.",
    code: [],
    shapes: [
      { name: "in", dims: stream(model, seq) },
      { name: "out", dims: stream(model, seq) },
    ],
    parameters: learnt(model, "blocks.*").filter(({ name }) => !known.some((part) => name.startsWith(part))),
    times: model.n_layers,
  };
}

function head(model: Structure, seq: number): Box {
  return {
    id: "head",
    title: "Output head",
    kind: model.tied ? "tied to the token embedding" : "a matrix of its own",
    text: "Compares the vector with one vector for each token of the vocabulary. The products are the logits; softmax makes them the probabilities of what comes next.",
    code: [
      { name: "GPTModel.forward", file: "lab/model.py" },
      { name: "GPTModel.hidden", file: "lab/model.py" },
    ],
    shapes: [
      { name: "in", dims: stream(model, seq) },
      {
        name: "logits",
        dims: [
          ["batch", 1],
          ["seq", seq],
          ["vocab_size", model.vocab_size],
        ],
      },
    ],
    parameters: learnt(model, "head"),
    times: 1,
  };
}

function figure(value: number): string {
  return value.toLocaleString("en");
}
