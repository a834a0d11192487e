/** The rows of a list that is longer than the screen: those that are looked at are there, the others only counted. */
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useState } from "react";
import { PAGE, usePages, type Question } from "@/api/lists";
import type { RunRow } from "@/api/types";
import { useShown } from "@/live/hooks";

const AHEAD = 8; // rows beyond each edge of the screen
const PATIENCE = 5_000; // milliseconds for a row to come
const NONE: string[] = [];

export function useRows(question: Question, height: number) {
  const [place, setElement] = useState<HTMLTableSectionElement | null>(null);
  const [count, setCount] = useState(0);
  const [top, setTop] = useState(0);
  const setPlace = useCallback((element: HTMLTableSectionElement | null) => {
    setElement(element);
    if (element) setTop(element.getBoundingClientRect().top + window.scrollY);
  }, []);
  const virtual = useWindowVirtualizer({
    count,
    estimateSize: () => height,
    overscan: AHEAD,
    scrollMargin: top,
    // Before the first measure a screen is as high as any.
    initialRect: { width: 1000, height: 900 },
  });
  const items = virtual.getVirtualItems();
  const first = Math.floor((items[0]?.index ?? 0) / PAGE);
  const last = Math.floor((items.at(-1)?.index ?? 0) / PAGE);
  const numbers = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  const pages = usePages(question, numbers);
  const answered = pages.find(({ data }) => data)?.data;
  if (answered && answered.matching !== count) setCount(answered.matching);
  const rowAt = (index: number): RunRow | undefined =>
    pages[Math.floor(index / PAGE) - first]?.data?.rows[index % PAGE];
  useShown(items.flatMap(({ index }) => rowAt(index)?.id ?? []));

  /** Puts a row on the screen and the keyboard on it, also one that is not there yet. */
  const focus = useCallback(
    (index: number) => {
      virtual.scrollToIndex(index, { align: "auto" });
      const end = performance.now() + PATIENCE;
      const look = () => {
        const row = place?.querySelector<HTMLElement>(`[data-index="${index}"]`);
        const link = row?.querySelector<HTMLElement>("a");
        (link ?? row)?.focus();
        // Its page may be on its way: until then the keyboard is on the empty row, unless somebody has gone on.
        const waits = !row || (document.activeElement === row && !link);
        if (waits && performance.now() < end) requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    },
    [virtual, place],
  );

  return {
    setPlace,
    items,
    rowAt,
    focus,
    measure: virtual.measureElement,
    before: (items[0]?.start ?? top) - top,
    after: Math.max(0, virtual.getTotalSize() - ((items.at(-1)?.end ?? top) - top)),
    count,
    total: answered?.total ?? null,
    read: answered?.read ?? null,
    unknown: answered?.unknown ?? NONE,
    answered: answered !== undefined,
    error: pages.find(({ error }) => error)?.error ?? null,
    refetch: () => void Promise.all(pages.map((page) => page.refetch())),
  };
}
