import { describe, expect, it } from "vitest";
import type { TokenEvent } from "@/api/generate";
import {
  begin,
  branchAt,
  branchOf,
  finish,
  hear,
  MOST_BRANCHES,
  NOTHING,
  openness,
  prefixOf,
  type Story,
} from "./story";

function drawn(index: number, tokenId: number): TokenEvent {
  const alternatives = [7, 8, 9].map((other) => ({ token_id: other, text: `t${other}`, probability: other / 100 }));
  return {
    type: "token",
    index,
    token_id: tokenId,
    token: `t${tokenId}`,
    text: `t${tokenId}`,
    log_prob: -1,
    probability: 0.5,
    rank: 2,
    entropy: 1,
    alternatives,
  };
}

function must<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error("there is none");
  return value;
}

function told(ids: number[]): Story {
  const started = hear(begin(), { type: "start", tokens: [{ token_id: 1, text: "The" }], cropped: 0, n_drawable: 9 });
  const written = ids.reduce((story, id, index) => hear(story, drawn(index, id)), started);
  return hear(written, { type: "end", reason: "max_tokens", rest: "", text: "", token_ids: ids });
}

describe("a story", () => {
  it("grows as the model speaks, and then stands", () => {
    const story = told([4, 5, 6]);
    expect(branchOf(story)).toMatchObject({ prompt: [{ token_id: 1 }], outcome: "max_tokens" });
    expect(prefixOf(must(story.branches[0]))).toEqual([4, 5, 6]);
    expect(hear(story, drawn(3, 99))).toBe(story);
    expect(branchOf(NOTHING)).toBeNull();
  });

  it("branches: what came before stays, the choice follows, the old branch is kept", () => {
    const branched = branchAt(told([4, 5, 6]), 1, 9);
    expect(branched.shown).toBe(1);
    expect(prefixOf(must(branchOf(branched)))).toEqual([4, 9]);
    expect(branchOf(branched)).toMatchObject({
      from: { branch: 0, at: 1 },
      outcome: null,
      written: [{ chosen: false }, { chosen: true, rank: 2, text: "t9" }],
    });
    expect(prefixOf(must(branched.branches[0]))).toEqual([4, 5, 6]);
    // The server's start names prompt and prefix together: the prompt must not grow by it.
    const going = hear(
      hear(branched, {
        type: "start",
        tokens: [1, 4, 9].map((id) => ({ token_id: id, text: "" })),
        cropped: 0,
        n_drawable: 9,
      }),
      drawn(0, 3),
    );
    expect(branchOf(going)?.prompt).toHaveLength(1);
    expect(prefixOf(must(branchOf(going)))).toEqual([4, 9, 3]);
  });

  it("stays the same for a choice that is none", () => {
    const story = told([4]);
    expect(branchAt(story, 5, 9)).toBe(story);
    expect(branchAt(story, 0, 1234)).toBe(story);
  });

  it("writes on the last branch while another one is on show", () => {
    const branched = branchAt(told([4, 5]), 0, 8);
    const going = hear({ ...branched, shown: 0 }, drawn(0, 3));
    expect(prefixOf(must(going.branches[0]))).toEqual([4, 5]);
    expect(prefixOf(must(going.branches[1]))).toEqual([8, 3]);
  });

  it("is finished once", () => {
    expect(branchOf(finish(told([4]), "stopped"))?.outcome).toBe("max_tokens");
    expect(branchOf(finish(begin(), "stopped"))?.outcome).toBe("stopped");
  });

  it("forgets the oldest branches", () => {
    let story = told([4]);
    for (let time = 0; time < 30; time += 1) story = finish(branchAt(story, 0, 7 + (time % 3)), "stopped");
    expect(story.branches).toHaveLength(MOST_BRANCHES);
    expect(new Set(story.branches.map(({ id }) => id)).size).toBe(MOST_BRANCHES);
  });

  it("counts the surprise of what the model drew, not of what was chosen for it", () => {
    expect(openness(must(branchOf(told([4, 5]))).written)).toBeCloseTo(2);
    expect(openness(must(branchOf(branchAt(told([4, 5]), 0, 9))).written)).toBeNull();
  });
});
