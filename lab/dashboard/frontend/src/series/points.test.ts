import { describe, expect, it } from "vitest";
import { apart, brief, inWords, smooth, smoothed, snap, downsample } from "./points";

describe("smooth", () => {
  it("leaves the first point where it is and follows a step slowly", () => {
    const out = smooth([10, 0, 0, 0], 0.5) as number[];
    expect(out[0]).toBeCloseTo(10);
    // (0.5 * 5 + 0) / (1 - 0.5 ** 2), by hand
    expect(out[1]).toBeCloseTo(2.5 / 0.75);
    expect(out[3]).toBeLessThan(out[2] as number);
  });

  it("keeps a constant constant and gaps gaps", () => {
    expect(smooth([3, null, 3], 0.9)).toEqual([expect.closeTo(3), null, expect.closeTo(3)]);
    expect(smooth([1, 2], 0)).toEqual([1, 2]);
  });
});

describe("downsample", () => {
  const x = Array.from({ length: 100_000 }, (_, at) => at);

  it("loses no spike, neither up nor down, and keeps the order", () => {
    const y = x.map(() => 1);
    y[54_321] = 99;
    y[70_001] = -99;
    const out = downsample({ x, y }, 1000);
    expect(out.x.length).toBeLessThanOrEqual(1002);
    expect(out.x).toContain(54_321);
    expect(out.x).toContain(70_001);
    expect(out.x).toEqual([...out.x].sort((a, b) => a - b));
    expect([out.x[0], out.x.at(-1)]).toEqual([0, 99_999]);
  });

  it("leaves a short line alone", () => {
    const line = { x: [1, 2], y: [3, null] };
    expect(downsample(line, 10)).toEqual(line);
  });
});

describe("snap", () => {
  const x = Array.from({ length: 50_000 }, (_, at) => at + 1);
  const y = x.map(() => 1 as number | null);
  y[33_333] = 7;
  const all = { from: 1, to: 50_000, count: 500, log: false };

  it("keeps the spike, and gives all lines the same places", () => {
    const one = snap({ x, y }, all);
    expect(Math.max(...(one.y as number[]))).toBe(7);
    expect(one.x.length).toBe(1000);
    expect([one.x[0], one.x.at(-1)]).toEqual([1, 50_000]);
    const other = snap({ x: x.map((value) => value + 0.5).slice(0, -1), y: y.slice(1) }, all);
    expect(other.x).toEqual(one.x);
  });

  it("shows every point of a short stretch, with a neighbour on either side", () => {
    const near = snap({ x, y }, { ...all, from: 33_330, to: 33_340 });
    expect([near.x[0], near.x.at(-1)]).toEqual([33_329, 33_341]);
    expect(near.y[near.x.indexOf(33_334)]).toBe(7);
  });

  it("follows a logarithmic axis", () => {
    const out = snap({ x, y }, { ...all, log: true });
    expect(out.x).toEqual([...out.x].sort((a, b) => a - b));
    expect(out.y.filter((value) => value === 7)).toHaveLength(1);
  });
});

describe("smoothed", () => {
  it("runs through the middle of a thinned line, not up and down with it", () => {
    const x = Array.from({ length: 5000 }, (_, at) => at);
    const saw = x.map((at) => (at % 2 ? 4 : 2));
    const { x: places, y } = smoothed({ x, y: saw }, 0.6, { from: 0, to: 4999, count: 100, log: false });
    expect(places).toHaveLength(100);
    for (const value of y) expect(value).toBeCloseTo(3, 1);
  });

  it("smooths a short line point by point", () => {
    const line = { x: [1, 2, 3], y: [9, 0, 0] };
    expect(smoothed(line, 0.5, { from: 1, to: 3, count: 100, log: false })).toEqual({
      x: [1, 2, 3],
      y: smooth(line.y, 0.5),
    });
  });
});

describe("words", () => {
  it("tells a curve", () => {
    expect(inWords("training", { x: [1, 2, 3], y: [10.8, 4, 5] }, String)).toBe(
      "training: 3 points, from 10.8 to 5; lowest 4 at 2.",
    );
    expect(inWords("training", { x: [], y: [] }, String)).toBe("training: no points yet.");
  });

  it("writes numbers briefly", () => {
    expect([0, 0.0003, 5.12345, 1234.5, 12_345, 17_670_400, 1.5e-7].map(brief)).toEqual([
      "0",
      "0.0003",
      "5.123",
      "1,235",
      "12.3k",
      "17.7M",
      "1.5e-7",
    ]);
  });

  it("tells neighbours on an axis apart, in no more digits than that takes", () => {
    expect(apart([4, 6, 8])).toEqual(["4", "6", "8"]);
    expect(apart([199_900, 199_950, 200_000])).toEqual(["199.9k", "199.95k", "200k"]);
    expect(apart([-1e-6, 0, 1e-6])).toEqual(["-1e-6", "0", "1e-6"]);
    expect(apart([1.0001e-7, 1.0002e-7])).toEqual(["1.0001e-7", "1.0002e-7"]);
    expect(apart([10, 10.5, 11], (x, more) => x.toFixed(more))).toEqual(["10.0", "10.5", "11.0"]);
    expect(apart([10.806, 10.81, 10.815, 10.82])).toEqual(["10.806", "10.81", "10.815", "10.82"]);
  });
});
