import { describe, expect, it } from "vitest";
import type { Checkpoint } from "@/api/types";
import { LOG_SHARES, logShare, percent, word } from "@/components/model/visible";
import { habits } from "./heads";
import { outline } from "./histogram";
import { even, frameOf, range } from "./useFrames";

describe("scales", () => {
  it("span every frame, and leave out what is no number", () => {
    expect(range([3, "NaN", null, -1, "Infinity", 2])).toEqual([-1, 3]);
    expect(range([])).toEqual([0, 1]);
  });

  it("lie even about zero where colours diverge", () => {
    expect(even([-0.5, 0.2])).toEqual([-0.5, 0.5]);
    expect(even([0, 0])).toEqual([-1, 1]);
  });

  it("shade probabilities by their logarithm, and hold at the end", () => {
    expect([1, 0.1, 1e-4, 0, "NaN", null].map(logShare)).toEqual([0, -1, LOG_SHARES[0], LOG_SHARES[0], null, null]);
  });
});

describe("frames", () => {
  const frames = [
    { checkpoint: "a", step: 10 },
    { checkpoint: "b", step: 20 },
  ];
  const checkpoint = (id: string, step: number | null) => ({ id, step }) as Checkpoint;

  it("are found by their file, or by the step of another file", () => {
    expect(frameOf(frames, checkpoint("b", 20))).toBe(1);
    expect(frameOf(frames, checkpoint("best", 10))).toBe(0);
    expect(frameOf(frames, checkpoint("other", null))).toBe(-1);
    expect(frameOf(frames, null)).toBe(-1);
  });
});

describe("a head's habits", () => {
  it("knows one that looks at the token before", () => {
    const found = habits([
      [1, 0, 0],
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(found).toEqual({ self: 0, previous: 1, first: 0.5, spread: 1 });
  });

  it("knows one that looks everywhere", () => {
    expect(habits([[1], [0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]]).spread).toBeCloseTo(2.5);
    expect(habits([[1]])).toMatchObject({ self: 1, spread: 1 });
  });
});

describe("a histogram", () => {
  it("shows density: a wide bin with as many in it is lower", () => {
    expect(outline([2, 2], [0, 1, 3], [0, 4])).toEqual([
      { from: 0, to: 0.25, height: 1 },
      { from: 0.25, to: 0.75, height: 0.5 },
    ]);
  });

  it("is flat where nothing was counted", () => {
    expect(outline([0], [0, 1], [0, 1])).toEqual([{ from: 0, to: 1, height: 0 }]);
  });
});

describe("words", () => {
  it("show what is invisible, and stay short", () => {
    expect([" fox", "\n", "incomprehensibilities"].map((text) => word(text))).toEqual(["·fox", "⏎", "incomprehen…"]);
    expect([1, 0.5, 0.0123, 0.00042, 0, 1e-9].map(percent)).toEqual([
      "100%",
      "50.0%",
      "1.2%",
      "0.04%",
      "0.0%",
      "< 0.001%",
    ]);
  });
});
