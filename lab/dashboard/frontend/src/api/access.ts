/**
 * Whether the server lets this browser in. The printed link brings a token, which the server turns into a cookie that no
 * script can read; so the page asks the one route that is open to everybody.
 */

/** `missing`: no token came along; `wrong`: another server's, or that of an earlier one at this address. */
export type Access = "right" | "wrong" | "missing";

let state: Access = "right"; // until the server says otherwise
const watchers = new Set<() => void>();

export function access(): Access {
  return state;
}

export function watchAccess(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Asks the server; null: it does not answer, or something else does. */
export async function askAccess(): Promise<Access | null> {
  try {
    const answer = await fetch("/api/health", { cache: "no-store" });
    const { token } = (await answer.json()) as { token?: unknown };
    if (token !== "right" && token !== "wrong" && token !== "missing") return null;
    become(token);
    return token;
  } catch {
    return null;
  }
}

/** Shows the server a token, or the link that has it. Returns why it does not let one in; null: it does. */
export async function present(text: string): Promise<string | null> {
  const token = tokenIn(text);
  if (token === "") return "Paste the printed link, or the part of it after token=.";
  try {
    // The right token is answered with a cookie, and with a way on that nobody needs to follow.
    const address = `/?${new URLSearchParams({ token })}`;
    const answer = await fetch(address, { redirect: "manual", cache: "no-store", headers: { accept: "*/*" } });
    if (answer.type !== "opaqueredirect") return "This is not the token of the server at this address.";
  } catch {
    return "The server does not answer. Is it still running where it was started?";
  }
  return (await askAccess()) === "right"
    ? null
    : "The token is right, but this browser kept no cookie: allow cookies here.";
}

/** The token in what somebody has pasted: a link, a piece of one, or the bare token. */
export function tokenIn(text: string): string {
  const word = text.trim();
  return /[?&]?token=([^&#\s]*)/.exec(word)?.[1] ?? (/[\s/:?]/.test(word) ? "" : word);
}

function become(next: Access): void {
  if (next === state) return;
  state = next;
  watchers.forEach((watcher) => watcher());
}
