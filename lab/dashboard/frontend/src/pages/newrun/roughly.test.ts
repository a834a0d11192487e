import { describe, expect, it } from "vitest";
import { roughly } from "./roughly";

describe("a guess of how long something takes", () => {
  it.each([
    [3, "a few seconds"],
    [43, "about 45 seconds"],
    [372, "about 6.2 minutes"],
    [5400, "about 1.5 hours"],
    [200_000, "about 2.3 days"],
    [7e9, "about 220 years"],
  ])("says %d seconds as %s", (seconds, said) => expect(roughly(seconds)).toBe(said));
});
