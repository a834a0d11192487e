import { useCallback, useEffect, useRef, useState } from "react";
import { generate, type Order } from "@/api/generate";
import { keep, recall } from "./keeping";
import { begin, branchAt, branchOf, finish, hear, NOTHING, prefixOf, type Story } from "./story";

export interface Writer {
  story: Story;
  /** Of the last text, also while another checkpoint is chosen than the one that wrote it. */
  branches: number;
  writing: boolean;
  error: unknown;
  start: (order: Order) => void;
  /** Chooses another token at a place of the branch on show, and lets the model go on from there. */
  branch: (at: number, alternative: number, order: Order) => void;
  show: (index: number) => void;
  stop: () => void;
}

/**
 * Lets a model write, one text at a time: a new order stops the one before.
 *
 * `desk` names the place on the page that the text belongs to; `checkpoint` is the one that is chosen there, and a text
 * that another one wrote is not shown under its name.
 */
export function useWriter(desk: string, checkpoint: string | undefined): Writer {
  const [kept, setKept] = useState(() => recall(desk));
  const [writing, setWriting] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const running = useRef<AbortController | null>(null);
  const story = kept.by === checkpoint ? kept.story : NOTHING;

  const setStory = useCallback(
    (change: (told: Story) => Story) => setKept(({ by, story: told }) => ({ by, story: change(told) })),
    [],
  );
  const stop = useCallback(() => running.current?.abort(), []);
  useEffect(() => stop, [stop]);

  const latest = useRef(kept);
  useEffect(() => {
    latest.current = kept;
  }, [kept]);
  useEffect(() => {
    const save = () => keep(desk, latest.current);
    window.addEventListener("pagehide", save);
    return () => {
      window.removeEventListener("pagehide", save);
      save();
    };
  }, [desk]);

  const listen = useCallback(
    async (order: Order) => {
      running.current?.abort();
      const mine = new AbortController();
      running.current = mine;
      setError(null);
      setWriting(true);
      const current = () => running.current === mine;
      try {
        for await (const event of generate(order, mine.signal)) {
          if (!current()) return;
          setStory((told) => hear(told, event));
          if (event.type === "error") setError(new Error(event.message));
        }
      } catch (caught) {
        if (!current()) return;
        if (!mine.signal.aborted) setError(caught);
        setStory((told) => finish(told, mine.signal.aborted ? "stopped" : "failed"));
      } finally {
        if (current()) {
          setStory((told) => finish(told, "stopped"));
          setWriting(false);
        }
      }
    },
    [setStory],
  );

  const start = useCallback(
    (order: Order) => {
      setKept({ by: order.checkpoint, story: begin() });
      void listen(order);
    },
    [listen],
  );

  const branch = useCallback(
    (at: number, alternative: number, order: Order) => {
      const next = branchAt(story, at, alternative);
      const added = branchOf(next);
      if (next === story || !added) return;
      setStory(() => next);
      void listen({
        ...order,
        prefix: prefixOf(added),
        max_tokens: Math.max(1, (order.max_tokens ?? 100) - added.written.length),
      });
    },
    [listen, setStory, story],
  );

  const show = useCallback((index: number) => setStory((told) => ({ ...told, shown: index })), [setStory]);
  return { story, branches: kept.story.branches.length, writing, error, start, branch, show, stop };
}
