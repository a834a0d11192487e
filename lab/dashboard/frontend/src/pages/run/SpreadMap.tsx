import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { Figure } from "@/components/Figure";
import { portion } from "@/components/words";
import { viridis } from "@/theme/palette";
import { median, type Spread } from "./spread";
import classes from "./SpreadMap.module.css";

interface Props {
  title: string;
  hint: string;
  spread: Spread;
  format: (value: number) => string;
}

interface Place {
  bin: number;
  column: number;
}

/** A column for each evaluation, from the lowest value at the bottom to the highest; the brighter, the more there are. */
export function SpreadMap({ title, hint, spread: { edges, columns }, format }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [place, setPlace] = useState<Place | null>(null);
  const bins = edges.length - 1;

  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!canvas.current || !context) return;
    canvas.current.width = columns.length;
    canvas.current.height = bins;
    columns.forEach(({ shares }, column) => {
      // Each column by its own fullest bin: a spread that widens would fade otherwise.
      const most = Math.max(...shares) || 1;
      shares.forEach((share, bin) => {
        context.fillStyle = viridis(Math.sqrt(share / most));
        context.fillRect(column, bins - 1 - bin, 1, 1);
      });
    });
  }, [columns, bins]);

  const onPointerMove = (event: PointerEvent<HTMLCanvasElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const within = (share: number, count: number) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
    setPlace({
      column: within((event.clientX - box.left) / box.width, columns.length),
      bin: bins - 1 - within((event.clientY - box.top) / box.height, bins),
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const move = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!move) return;
    event.preventDefault();
    const at = place ?? { bin: Math.floor(bins / 2), column: columns.length };
    setPlace({
      bin: Math.min(bins - 1, Math.max(0, at.bin + (move[0] ?? 0))),
      column: Math.min(columns.length - 1, Math.max(0, at.column + (move[1] ?? 0))),
    });
  };

  const [first, last] = [columns[0], columns.at(-1)];
  if (!first || !last) return null;
  const shown = place && columns[place.column];
  return (
    <Figure
      title={title}
      hint={hint}
      summary={`From step ${first.step} to ${last.step}, the middle one went from ${format(median(first, edges))} to ${format(median(last, edges))}.`}
      numbers={() => ({
        columns: ["from", "to", ...columns.map(({ step }) => `step ${step}`)],
        rows: Array.from({ length: bins }, (_, bin) => [
          format(edges[bin] ?? 0),
          format(edges[bin + 1] ?? 0),
          ...columns.map(({ shares }) => shares[bin] ?? 0),
        ]),
      })}
    >
      {(described) => (
        <>
          <div className={classes.frame}>
            <div className={classes.values} aria-hidden>
              <span>{format(edges[bins] ?? 0)}</span>
              <span>{format(edges[Math.floor(bins / 2)] ?? 0)}</span>
              <span>{format(edges[0] ?? 0)}</span>
            </div>
            <canvas
              ref={canvas}
              className={classes.canvas}
              role="img"
              tabIndex={0}
              aria-label={`${title}, a map of ${columns.length} evaluations. Arrow keys read single places.`}
              aria-describedby={described}
              onPointerMove={onPointerMove}
              onPointerLeave={() => setPlace(null)}
              onBlur={() => setPlace(null)}
              onKeyDown={onKeyDown}
            />
            <div className={classes.steps} aria-hidden>
              <span>step {first.step.toLocaleString("en")}</span>
              <span>step {last.step.toLocaleString("en")}</span>
            </div>
          </div>
          <div className={classes.reading} aria-live="polite">
            {shown &&
              `Step ${shown.step.toLocaleString("en")}: ${portion(shown.shares[place.bin] ?? 0)} lie between ${format(edges[place.bin] ?? 0)} and ${format(edges[place.bin + 1] ?? 0)}; half lie below ${format(median(shown, edges))}${shown.zeros > 0 ? `; ${portion(shown.zeros)} of all are exactly zero and not drawn` : ""}.`}
          </div>
        </>
      )}
    </Figure>
  );
}
