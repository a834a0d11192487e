/**
 * The browser's address at a pace that browsers allow. A slider moves sixty times a second and a field changes with every
 * key; Safari throws when the address changes for the hundredth time within thirty seconds (ten, in later ones), and
 * Chromium leaves out what is more than twenty a second for long. The router, and so the page, knows each change at once;
 * so does the address, until many have come one upon the other. Then it gets the newest, every half second.
 */

/** Changes that may come at once. */
export const AT_ONCE = 25;
/** Milliseconds after which there may be one more. */
export const PACE = 450;

type Entry = Parameters<History["replaceState"]>;

let waiting: Entry | null = null;

/** What the address says, or will as soon as it may. */
export function search(): string {
  const url = waiting?.[2];
  return url == null ? window.location.search : new URL(url, window.location.href).search;
}

/** Makes `window.history` keep to the pace. Called once, before the router is made. */
export function keepPace(): void {
  const { history } = window;
  const replace = history.replaceState.bind(history);
  const push = history.pushState.bind(history);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let left = AT_ONCE;
  let counted = Date.now();

  function write(): void {
    clearTimeout(timer);
    timer = undefined;
    if (!waiting) return;
    left -= 1;
    replace(...waiting);
    waiting = null;
  }
  function count(): void {
    const now = Date.now();
    left = Math.min(AT_ONCE, left + (now - counted) / PACE);
    counted = now;
  }
  history.replaceState = (...entry) => {
    waiting = entry;
    count();
    if (left >= 1) write();
    else timer ??= setTimeout(write, (1 - left) * PACE);
  };
  // The entry that is left gets its last change; the new one is there at once.
  history.pushState = (...entry) => {
    write();
    push(...entry);
  };
  // One that was left by Back cannot be changed any more.
  window.addEventListener("popstate", () => (waiting = null), { capture: true });
  window.addEventListener("pagehide", write);
}
