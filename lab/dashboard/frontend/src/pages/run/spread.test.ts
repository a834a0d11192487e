import { describe, expect, it } from "vitest";
import type { Moment } from "@/api/types";
import { gradientSpread, median, rebinned, weightSpread } from "./spread";

const sum = (values: number[]) => values.reduce((all, value) => all + value, 0);

function moment(step: number, edge: number, counts: number[], gradients: number[] | null = null): Moment {
  return {
    step,
    parts: { a: { weights: { edge, counts }, gradients: gradients && { zeros: 2, counts: gradients } } },
  };
}

describe("weights of several moments", () => {
  it("stand on one axis, and none gets lost", () => {
    expect(rebinned([0, 4, 4, 0], 1, 2)).toEqual([0, 4, 4, 0]);
    expect(rebinned([4, 0, 0, 4], 1, 2)).toEqual([0, 4, 4, 0]);
    expect(rebinned([1, 2, 3, 4], 1, 1)).toEqual([1, 2, 3, 4]);
    expect(rebinned([8, 0, 0, 0], 3, 4)).toEqual([(8 * 2) / 3, (8 * 1) / 3, 0, 0]);
    expect(sum(rebinned([5, 1, 7, 2, 9, 3], 0.37, 1.9))).toBeCloseTo(27);
    expect(rebinned([0, 0, 6, 0], 0, 1)).toEqual([0, 3, 3, 0]);
  });

  it("have the edge of the widest", () => {
    const { edges, columns } = weightSpread([moment(0, 1, [0, 4, 4, 0]), moment(5, 2, [1, 1, 1, 1])], "a");
    expect(edges).toEqual([-2, -1, 0, 1, 2]);
    expect(columns).toEqual([
      { step: 0, shares: [0, 0.5, 0.5, 0], zeros: 0 },
      { step: 5, shares: [0.25, 0.25, 0.25, 0.25], zeros: 0 },
    ]);
    expect(median({ step: 0, shares: [0.25, 0.5, 0.25, 0], zeros: 0 }, edges)).toBe(-0.5);
  });
});

describe("gradients of several moments", () => {
  it("begin at the lowest power of two that any has", () => {
    const moments = [moment(0, 1, [1, 1]), moment(5, 1, [1, 1], [0, 2, 0, 0]), moment(9, 1, [1, 1], [0, 0, 6, 0])];
    expect(gradientSpread(moments, "a", -10)).toEqual({
      edges: [2 ** -9, 2 ** -8, 2 ** -7],
      columns: [
        { step: 5, shares: [1, 0], zeros: 0.5 },
        { step: 9, shares: [0, 1], zeros: 0.25 },
      ],
    });
    expect(gradientSpread(moments, "b", -10)).toEqual({ edges: [], columns: [] });
  });
});
