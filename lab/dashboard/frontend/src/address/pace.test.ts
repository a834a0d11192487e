import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { AT_ONCE, keepPace, PACE, search } from "./pace";

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

/** As many changes as may come at once, and two more, of which the last one waits. */
function hurry(): void {
  for (let at = 1; at <= AT_ONCE + 2; at++) go(at);
  expect(window.location.search).toBe(`?at=${AT_ONCE}`);
  expect(search()).toBe(`?at=${AT_ONCE + 2}`);
}

it("single changes are in the address at once", () => {
  for (let at = 0; at < 100; at++) {
    go(at);
    expect(window.location.search).toBe(`?at=${at}`);
    vi.advanceTimersByTime(PACE);
  }
});

it("a slider that is dragged for half a minute changes it as often as any browser allows, and the last change counts", () => {
  for (let at = 0; at < 1800; at++) {
    go(at);
    expect(search()).toBe(`?at=${at}`);
    vi.advanceTimersByTime(1000 / 60);
  }
  vi.advanceTimersByTime(PACE);
  expect(window.location.search).toBe("?at=1799");
  expect(written.length).toBeGreaterThan(50);
  expect(written.length).toBeLessThan(100); // Safari's, in thirty seconds
  vi.advanceTimersByTime(60_000);
  expect(written.length).toBeLessThan(100);
});

it("a new entry leaves the one before as it was last", () => {
  hurry();
  window.history.pushState(null, "", "/?at=new");
  vi.advanceTimersByTime(2 * PACE);
  expect(written.slice(-3)).toEqual([`/?at=${AT_ONCE}`, `/?at=${AT_ONCE + 2}`, "new /?at=new"]);
  expect(search()).toBe("?at=new");
});

it("what was to be written to an entry that is left by Back is not written to another", () => {
  hurry();
  window.dispatchEvent(new PopStateEvent("popstate"));
  vi.advanceTimersByTime(2 * PACE);
  expect(search()).toBe(`?at=${AT_ONCE}`);
  go(1);
  expect(search()).toBe("?at=1");
});

it("what waits is written when the page goes", () => {
  hurry();
  window.dispatchEvent(new Event("pagehide"));
  expect(window.location.search).toBe(`?at=${AT_ONCE + 2}`);
});
