/** What was written stays in the tab: neither a reload nor a look at another page loses it. */
import { branchOf, finish, NOTHING, type Story } from "./story";

/** With a number for its shape: what an earlier page has kept in another one is not read. */
const STORE = "lab text 2 ";

/** A story and the checkpoint that wrote it; empty: nobody has yet. */
export interface Kept {
  by: string;
  story: Story;
}

/** Keeps a story for the next look at `desk`. */
export function keep(desk: string, { by, story }: Kept): void {
  const shown = branchOf(story);
  if (!shown) return;
  // Fifty alternatives a token, twelve branches: a tab may not have the room. Then at least the branch on show.
  for (const kept of [story, { branches: [shown], shown: 0 }]) {
    try {
      window.sessionStorage.setItem(STORE + desk, JSON.stringify({ by, story: kept }));
      return;
    } catch {
      window.sessionStorage.removeItem(STORE + desk);
    }
  }
}

/** The story kept for `desk`; what was still being written has stopped where it was. */
export function recall(desk: string): Kept {
  try {
    const { by, story } = JSON.parse(window.sessionStorage.getItem(STORE + desk) ?? "") as Kept;
    if (Array.isArray(story.branches)) return { by, story: finish(story, "stopped") };
  } catch {
    // Nothing there, or nothing of ours.
  }
  return { by: "", story: NOTHING };
}
