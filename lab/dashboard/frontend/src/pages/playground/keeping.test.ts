import { afterEach, describe, expect, it, vi } from "vitest";
import { keep, recall } from "./keeping";
import { begin, NOTHING, type Story } from "./story";

const unfinished = begin();
const branched: Story = {
  branches: unfinished.branches.flatMap((one) => [
    one,
    { ...one, id: 1, from: { branch: 0, at: 2 }, outcome: "max_tokens" as const },
  ]),
  shown: 1,
};

afterEach(() => {
  vi.restoreAllMocks();
  window.sessionStorage.clear();
});

describe("a text that is kept", () => {
  it("comes back to its desk", () => {
    keep("first", { by: "a", story: branched });
    expect(recall("first")).toEqual({ by: "a", story: branched });
    expect(recall("second").story).toBe(NOTHING);
  });

  it("has stopped where it was", () => {
    keep("first", { by: "a", story: unfinished });
    expect(recall("first").story.branches[0]?.outcome).toBe("stopped");
  });

  it("is not overwritten by nothing", () => {
    keep("first", { by: "a", story: branched });
    keep("first", { by: "", story: NOTHING });
    expect(recall("first").story).toEqual(branched);
  });

  it("is the branch on show where there is no room for all", () => {
    const write = Storage.prototype.setItem;
    vi.spyOn(Storage.prototype, "setItem").mockImplementation(function (this: Storage, key, value) {
      if ((JSON.parse(value) as { story: Story }).story.branches.length > 1)
        throw new DOMException("full", "QuotaExceededError");
      write.call(this, key, value);
    });
    keep("first", { by: "a", story: branched });
    expect(recall("first").story).toEqual({ branches: [branched.branches[1]], shown: 0 });
  });

  it("is nothing when something else stands there", () => {
    window.sessionStorage.setItem("lab text 2 first", "{");
    expect(recall("first").story).toBe(NOTHING);
  });
});
