/**
 * The browser's address at a pace that browsers allow. A slider moves sixty times a second and a field changes with every
 * key; Safari throws when the address changes for the hundredth time within thirty seconds (ten, in later ones), and
 * Chromium leaves out what is more than twenty a second for long. The router, and so the page, knows each change at once;
 * the address gets the first of them at once and then the newest, three times a second at most.
 */

/** Milliseconds between two changes. */
export const PACE = 350;

type Entry = Parameters<History["replaceState"]>;

let waiting: Entry | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;

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

  function write(): void {
    clearTimeout(timer);
    timer = undefined;
    if (!waiting) return;
    replace(...waiting);
    waiting = null;
    timer = setTimeout(write, PACE);
  }
  history.replaceState = (...entry) => {
    waiting = entry;
    if (timer === undefined) write();
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
