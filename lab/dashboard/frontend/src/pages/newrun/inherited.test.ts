import { describe, expect, it } from "vitest";
import type { ConfigOption } from "@/api/types";
import { inherited } from "./inherited";

const options = ["corpus.path", "optimizer.lr", "seed"].map((name) => ({ name, allowed: true })) as ConfigOption[];
const parent = (source: string) => ({
  corpus: {
    name: source === "path" ? "text" : "fables",
    source,
    path: source === "path" ? "corpora/mine.txt" : "fables",
  },
  optimizer: { _target_: "torch.optim.SGD", lr: 0.1 },
  seed: 7,
  unknown: 1,
});

describe("what a fork takes over", () => {
  it("is a prepared corpus by its name alone", () => {
    expect(inherited(parent("bundled"), options)).toEqual({
      corpus: "fables",
      optimizer: "sgd",
      "optimizer.lr": 0.1,
      seed: 7,
    });
  });

  it("is a text of one's own with its path", () => {
    expect(inherited(parent("path"), options)).toMatchObject({ corpus: "text", "corpus.path": "corpora/mine.txt" });
  });

  it("is nothing of a run without options", () => {
    expect(inherited(undefined, options)).toEqual({});
  });
});
