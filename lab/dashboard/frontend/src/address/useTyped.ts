import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";

/**
 * A text as it is typed, which reaches the address when the typing rests, `wait` milliseconds after the last key. What the
 * address says by itself, because somebody went back or followed a link, takes the place of what stood there.
 */
export function useTyped(kept: string, keep: (text: string) => void, wait: number): [string, (text: string) => void] {
  const [text, setText] = useState(kept);
  const [seen, setSeen] = useState(kept);
  const [written, setWritten] = useState(kept);
  const settle = useDebouncedCallback((next: string) => {
    setWritten(next);
    keep(next);
  }, wait);
  if (kept !== seen) {
    setSeen(kept);
    if (kept !== written) {
      setWritten(kept);
      setText(kept);
    }
  }
  return [
    text,
    (next) => {
      setText(next);
      settle(next);
    },
  ];
}
