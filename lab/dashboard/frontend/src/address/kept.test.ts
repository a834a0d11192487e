import { beforeEach, describe, expect, it } from "vitest";
import { leftOut, LONGEST, shortened, whole } from "./kept";

beforeEach(() => window.sessionStorage.clear());

function params(text: string): URLSearchParams {
  return new URLSearchParams(text);
}

describe("an address", () => {
  it("stays as it is while it is short", () => {
    expect(shortened(params("text=abc&at=3")).toString()).toBe("text=abc&at=3");
  });

  it("keeps the longest value elsewhere, and gives it back", () => {
    const long = "ä\n".repeat(8_000);
    const wanted = params("at=3&by=bpe");
    wanted.set("text", long);
    const short = shortened(wanted);
    expect(short.toString().length).toBeLessThan(100);
    expect(short.get("at")).toBe("3");
    expect(short.has("text")).toBe(false);
    expect(leftOut(short)).toEqual({ here: ["text"], gone: [] });
    expect(whole(short).get("text")).toBe(long);
  });

  it("keeps values of one name together, in their order", () => {
    const wanted = params(Array.from({ length: 300 }, (_, at) => `set=option${at}=${at}`).join("&"));
    expect(whole(shortened(wanted)).getAll("set")).toEqual(wanted.getAll("set"));
  });

  it("takes no more room for each key that is typed", () => {
    let present = params("");
    for (let size = LONGEST; size < LONGEST + 50; size++) {
      const wanted = whole(present);
      wanted.set("text", "x".repeat(size));
      present = shortened(wanted, present);
    }
    expect(window.sessionStorage.length).toBe(2); // the text and the list of keys
  });

  it("says what it lacks in another tab", () => {
    expect(leftOut(params("text.kept=nowhere&at=1"))).toEqual({ here: [], gone: ["text"] });
    expect(whole(params("text.kept=nowhere&at=1")).toString()).toBe("at=1");
  });

  it("forgets the oldest of many", () => {
    for (let at = 0; at < 60; at++) shortened(params(`text=${"y".repeat(LONGEST + at)}`));
    expect(window.sessionStorage.length).toBeLessThan(45);
  });
});
