import { describe, expect, it } from "vitest";
import { rateInWords } from "./rateInWords";

const up = [1, 2, 3, 4, 5];
const level = Array<number>(20).fill(5);
const down = Array.from({ length: 20 }, (_, at) => 5 * Math.cos(((at + 1) / 21) * (Math.PI / 2)));

describe("rateInWords", () => {
  it("speaks of a descent only where there is one", () => {
    expect(rateInWords(level)).toBe("The same all along.");
    expect(rateInWords([...up, ...level])).toBe(
      "A rise, because the first gradients say little; then the same to the end.",
    );
    expect(rateInWords([...up, ...down])).toBe(
      "A rise, because the first gradients say little; then a descent, to settle.",
    );
    expect(rateInWords([...up, ...level, ...down])).toBe(
      "A rise, because the first gradients say little; then the same for a while; then a descent, to settle.",
    );
    expect(rateInWords(down)).toBe("A descent, to settle.");
    expect(rateInWords([])).toBe("The same all along.");
  });
});
