import { describe, expect, it } from "vitest";
import type { Structure } from "@/api/decoder";
import { excerpt } from "../excerpt";
import { SOURCES } from "../sources";
import { boxesOf, count, ownName } from "./boxes";

const GPT2: Structure = {
  emb_dim: 256,
  n_layers: 6,
  n_heads: 8,
  n_kv_heads: 8,
  head_dim: 32,
  hidden_dim: 1024,
  context_length: 256,
  vocab_size: 50257,
  norm: "layernorm",
  feed_forward: "gelu",
  position: "learned",
  attention: "multi_head",
  block: "pre_norm",
  qk_norm: false,
  sliding_window: null,
  rope_base: 10000,
  tied: true,
  own: [],
  parameters: [
    { name: "token_embedding.weight", shape: [50257, 256] },
    { name: "position_embedding.weight", shape: [256, 256] },
    { name: "blocks.*.norm1.scale", shape: [256] },
    { name: "blocks.*.norm1.shift", shape: [256] },
    { name: "blocks.*.attention.qkv.weight", shape: [768, 256] },
    { name: "blocks.*.attention.project.weight", shape: [256, 256] },
    { name: "final_norm.scale", shape: [256] },
  ],
  total: 17_670_400,
};
const QWEN: Structure = {
  ...GPT2,
  norm: "rmsnorm",
  position: "rope",
  qk_norm: true,
  n_kv_heads: 2,
  feed_forward: "swiglu",
  sliding_window: 16,
};
const OWN: Structure = {
  ...GPT2,
  ...{ norm: "/home/me/mine.py:MyNorm", feed_forward: "mine.py:Squeeze", position: "mine.py:Turn" },
  ...{ attention: "mine.py:Look", block: "mine.py:Layer", hidden_dim: null },
  own: ["norm", "feed_forward", "position", "attention", "block"],
  parameters: [...GPT2.parameters, { name: "blocks.*.gate", shape: [3, 4] }],
};

describe("the boxes of a model", () => {
  it("are GPT-2's, each with its own parameters", () => {
    const boxes = boxesOf(GPT2, 12);
    expect(Object.keys(boxes)).toEqual(
      "token position norm1 attention add1 norm2 feed_forward add2 final_norm head".split(" "),
    );
    expect(count(boxes.attention?.parameters ?? [])).toBe(768 * 256 + 256 * 256);
    expect(boxes.norm1?.parameters).toHaveLength(2);
    expect(boxes.head?.parameters).toEqual([]);
    expect(boxes.attention?.kind).toBe("8 heads of 32");
    expect(boxes.attention?.shapes.find(({ name }) => name === "scores, weights")?.dims).toEqual([
      ["batch", 1],
      ["n_heads", 8],
      ["seq", 12],
      ["seq", 12],
    ]);
  });

  it("say what later models changed", () => {
    const boxes = boxesOf(QWEN, 12);
    expect(boxes.position).toBeUndefined();
    expect(boxes.attention?.kind).toBe(
      "8 heads of 32, 2 for keys and values, normed queries and keys, positions by rotation (rope), window of 16",
    );
    expect(boxes.attention?.shapes[2]?.dims[1]).toEqual(["n_kv_heads", 2]);
    expect(boxes.norm1?.kind).toBe("RMSNorm");
    const post = boxesOf({ ...GPT2, block: "post_norm", position: "alibi" }, 3);
    expect(post.add1?.code).toEqual([{ name: "PostNormBlock", file: "lab/parts/post_norm.py" }]);
  });

  it("name parts of one's own, and show what is there", () => {
    const boxes = boxesOf(OWN, 12);
    expect(ownName(OWN.norm)).toBe("MyNorm of mine.py");
    expect([boxes.final_norm?.kind, boxes.feed_forward?.kind]).toEqual(["MyNorm of mine.py", "Squeeze of mine.py"]);
    expect(boxes.block?.parameters).toEqual([{ name: "blocks.*.gate", shape: [3, 4] }]);
    expect([boxes.add1, boxes.norm2]).toEqual([undefined, undefined]);
    expect(boxes.attention?.code).toEqual([]);
  });

  it("open code that is there", () => {
    const kinds = ["gelu", "swiglu", "relu2"].flatMap((feed_forward) =>
      ["rope", "alibi"].map((position) => ({ ...QWEN, feed_forward, position })),
    );
    for (const model of [GPT2, ...kinds, { ...GPT2, block: "post_norm" }])
      for (const box of Object.values(boxesOf(model, 4))) {
        expect(box.code.length, box.id).toBeGreaterThan(0);
        for (const { name, file } of box.code)
          expect(excerpt(SOURCES[file], name)?.text, `${name} in ${file}`).toMatch(/^(class|def) /);
      }
  });
});
