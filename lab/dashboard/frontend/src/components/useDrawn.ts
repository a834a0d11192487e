import { useState } from "react";

/** Drawn at once: tens of thousands of tokens would hold a browser up for a minute, and nobody reads them. */
const MOST = 2_000;

/** As many tokens of a long text as are drawn, how many are left, and how to have them all. */
export function useDrawn<T>(tokens: T[], selected: number | null): { drawn: T[]; more: number; showAll: () => void } {
  const [all, setAll] = useState(false);
  const drawn = all || (selected ?? 0) >= MOST ? tokens : tokens.slice(0, MOST);
  return { drawn, more: tokens.length - drawn.length, showAll: () => setAll(true) };
}
