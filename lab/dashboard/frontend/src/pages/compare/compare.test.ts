import { describe, expect, it } from "vitest";
import { lineStyle } from "@/theme/palette";
import { along } from "./costs";
import { figureScale, isLogarithmic, optionScale } from "./scale";
import { together } from "./seeds";

const track = (points: [number, number | null][]) => ({
  steps: points.map(([step]) => step),
  times: points.map(() => 0),
  values: points.map(([, value]) => value),
});

describe("axes", () => {
  it("are logarithmic for rates, wide spans and what is spaced by factors", () => {
    expect(
      [
        [1e-3, 3e-4],
        [1, 25],
        [64, 128, 256],
        [0.01, 0.1],
      ].map(isLogarithmic),
    ).toEqual([true, true, true, true]);
    expect([[2, 4, 6], [0.1, 0.2], [1, 19], [-1, 100], [3, 3], []].map(isLogarithmic)).toEqual(Array(6).fill(false));
  });

  it("lay a factor of ten evenly, zero apart, and words side by side", () => {
    const rates = optionScale([1e-3, 1e-2, 1e-4]);
    expect(rates.kind).toBe("log");
    expect(rates.place(1e-3)).toBeCloseTo(0.5);
    expect(rates.marks.map(({ label }) => label)).toEqual(["1e-4", "1e-3", "0.01"]);
    const decays = optionScale([0, 0.01, 0.1]);
    expect([0, 0.01, 0.1].map(decays.place)).toEqual([0, 0.15, 1]);
    const words = optionScale(["muon", "adamw", null, undefined]);
    expect(words.kind).toBe("words");
    expect(words.marks.map(({ label }) => label)).toEqual(["adamw", "muon", "null", "–"]);
    expect(optionScale([null, 0.5, 10, 2]).marks.map(({ label }) => label)).toEqual(["0.5", "2", "10", "null"]);
  });

  it("write no mark over another one, and are not lost for one value", () => {
    expect(optionScale([1, 2, 3, 100, 101]).marks.length).toBeLessThan(5);
    expect(optionScale([5, 5]).place(5)).toBe(0.5);
    expect(figureScale([1e6, 1e7, 1e8], true).marks.map(({ place }) => place)).toContain(0.5);
    expect(figureScale([null, null]).marks).toEqual([]);
  });
});

describe("what a point had cost", () => {
  const tracks = {
    train_loss: track([
      [1, 5],
      [10, 4],
      [15, 3],
      [20, 2],
      [25, 1],
    ]),
    val_loss: track([
      [0, 6],
      [10, 4],
      [20, 2],
    ]),
    tokens_seen: track([
      [1, 100],
      [10, 1000],
      [15, 1500],
      [20, 2000],
      [25, 2500],
    ]),
    spent_tokens: track([
      [0, 0],
      [10, 1000],
      [20, 2000],
    ]),
    spent_flops: track([
      [0, 0],
      [10, 6e6],
      [20, 12e6],
    ]),
    spent_seconds: track([
      [0, 0],
      [10, 2],
      [20, 10],
    ]),
  };

  it("lies on the straight line between two evaluations", () => {
    expect(along("seconds", "train_loss", tracks)).toEqual({ x: [0.2, 2, 6, 10], y: [5, 4, 3, 2] });
    expect(along("tokens", "val_loss", tracks)?.x).toEqual([0, 1000, 2000]);
    expect(along("flops", "train_loss", tracks)?.x).toEqual([0.6e6, 6e6, 9e6, 12e6, 15e6]); // on beyond the last one
    expect(along("steps", "val_loss", tracks)?.x).toEqual([0, 10, 20]);
  });

  it("is not made up where a run does not say it", () => {
    expect(along("processor_seconds", "train_loss", tracks)).toBeNull();
    expect(
      along("seconds", "val_loss", {
        ...tracks,
        spent_seconds: track([
          [10, 5],
          [20, 4],
        ]),
      }),
    ).toBeNull();
    expect(along("seconds", "val_loss", {})).toEqual({ x: [], y: [] });
  });
});

describe("seeds together", () => {
  const curves = [
    { x: [0, 10, 20], y: [4, 2, 1] },
    { x: [0, 10, 15], y: [6, 4, 4] },
  ];

  it("are the mean with what lies around it, where all of them are", () => {
    expect(together(curves, "range")).toEqual({
      x: [0, 10, 15],
      y: [5, 3, 2.75],
      band: { low: [4, 2, 1.5], high: [6, 4, 4] },
    });
    const [low] = together(curves, "deviation").band.low;
    expect(low).toBeCloseTo(5 - Math.SQRT2);
  });

  it("have no mean where one of them is no number", () => {
    expect(
      together(
        [
          { x: [0, 1], y: [1, null] },
          { x: [0, 1], y: [1, 2] },
        ],
        "range",
      ).y,
    ).toEqual([1, null]);
  });
});

describe("the styles of lines", () => {
  it("are all different for as many runs as are compared", () => {
    for (const dark of [false, true]) {
      const styles = Array.from({ length: 64 }, (_, at) => JSON.stringify(lineStyle(at, dark)));
      expect(new Set(styles).size).toBe(64);
    }
  });
});
