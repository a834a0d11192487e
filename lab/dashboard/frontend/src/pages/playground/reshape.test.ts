import { describe, expect, it } from "vitest";
import { reshape } from "./reshape";

const OWN = [0.5, 0.25, 0.125, 0.0625];
const ALL = { temperature: 1, topK: 4, topP: null };

describe("reshape", () => {
  it("makes what is left sum to one", () => {
    expect(reshape(OWN, { ...ALL, topK: 2 })).toEqual([2 / 3, 1 / 3, 0, 0]);
    for (const temperature of [0.1, 0.7, 1, 2])
      expect(reshape(OWN, { ...ALL, temperature })?.reduce((a, b) => a + b)).toBeCloseTo(1);
  });

  it("sharpens below 1 and flattens above", () => {
    expect(reshape(OWN, { ...ALL, temperature: 0.5 })?.[0]).toBeCloseTo(0.25 / (0.25 + 0.0625 + 0.015625 + 0.00390625));
    expect(reshape(OWN, { ...ALL, temperature: 1e6 })?.[3]).toBeCloseTo(0.25);
    expect(reshape(OWN, { ...ALL, temperature: 0 })).toEqual([1, 0, 0, 0]);
  });

  it("keeps the fewest that have top_p together, one at least", () => {
    expect(reshape(OWN, { ...ALL, topP: 0.6 })).toEqual([2 / 3, 1 / 3, 0, 0]);
    expect(reshape(OWN, { ...ALL, topP: 0.01 })).toEqual([1, 0, 0, 0]);
  });

  it("says nothing where tokens that it does not know have a say", () => {
    expect(reshape(OWN, { ...ALL, topK: null })).toBeNull();
    expect(reshape(OWN, { ...ALL, topK: 9 })).toBeNull();
  });
});
