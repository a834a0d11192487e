import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { keepPace, PACE, search } from "./pace";

const native = { replace: window.history.replaceState, push: window.history.pushState };
let written: string[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  written = [];
  window.history.replaceState = (...entry) => {
    written.push(String(entry[2]));
    native.replace.apply(window.history, entry);
  };
  window.history.pushState = (...entry) => {
    written.push(`new ${String(entry[2])}`);
    native.push.apply(window.history, entry);
  };
  keepPace();
});
afterEach(() => {
  vi.runAllTimers();
  vi.useRealTimers();
  window.history.replaceState = native.replace;
  window.history.pushState = native.push;
});

const go = (at: number) => window.history.replaceState(null, "", `/?at=${at}`);

it("a slider that is dragged for ten seconds changes the address as often as any browser allows, and the last counts", () => {
  for (let at = 0; at < 600; at++) {
    go(at);
    expect(search()).toBe(`?at=${at}`);
    if (at === 0) expect(written).toEqual(["/?at=0"]);
    vi.advanceTimersByTime(1000 / 60);
  }
  vi.advanceTimersByTime(PACE);
  expect(window.location.search).toBe("?at=599");
  expect(written.length).toBeLessThan(33); // Safari's hundred in thirty seconds
  vi.advanceTimersByTime(60_000);
  expect(written.length).toBeLessThan(33);
});

it("a new entry leaves the one before as it was last", () => {
  go(1);
  go(2);
  window.history.pushState(null, "", "/?at=3");
  vi.advanceTimersByTime(2 * PACE);
  expect(written).toEqual(["/?at=1", "/?at=2", "new /?at=3"]);
  expect(search()).toBe("?at=3");
});

it("what was to be written to an entry that is left by Back is not written to another", () => {
  go(1);
  go(2);
  window.dispatchEvent(new PopStateEvent("popstate"));
  vi.advanceTimersByTime(2 * PACE);
  expect(written).toEqual(["/?at=1"]);
  expect(search()).toBe("?at=1");
});

it("nothing is lost by a page that goes", () => {
  go(1);
  go(2);
  window.dispatchEvent(new Event("pagehide"));
  expect(window.location.search).toBe("?at=2");
});
