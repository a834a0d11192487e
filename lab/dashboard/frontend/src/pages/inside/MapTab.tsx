import { useElementSize } from "@mantine/hooks";
import { useMemo, useState } from "react";
import type { ViewOf } from "@/api/models";
import { Figure } from "@/components/Figure";
import { Computed } from "@/components/figures/Computed";
import type { Chosen } from "@/components/model/useChosen";
import { word } from "@/components/model/visible";
import { aligned, type Point } from "./aligned";
import { Framed } from "./Framed";
import { labelled } from "./labels";
import classes from "./MapTab.module.css";
import { drawable, useFrames } from "./useFrames";

type View = ViewOf<"embedding-map">;

const measure = {
  name: "the share of the differences that the map can show",
  of: ({ explained }: View) => explained.reduce<number>((sum, share) => sum + (drawable(share) ?? 0), 0),
};

export function MapTab({ chosen, prompt }: { chosen: Chosen; prompt: string }) {
  const found = useFrames("embedding-map", { chosen, prompt });
  return (
    <Framed found={found} chosen={chosen} measure={measure}>
      {(result, frames) => (
        <EmbeddingMap view={result} all={frames.length > 0 ? frames.map((f) => f.result) : [result]} />
      )}
    </Framed>
  );
}

/** Every token a point. The same scale for all checkpoints, so that it is seen how the points move apart. */
function EmbeddingMap({ view, all }: { view: View; all: View[] }) {
  const { ref, width } = useElementSize();
  const [pointed, setPointed] = useState<number | null>(null);
  const last = all.at(-1) ?? view;
  const places = useMemo(() => aligned(view.points.map(placed), last.points.map(placed)), [view, last]);
  const [reachX, reachY] = useMemo(() => {
    const turned = all.map(({ points }) => aligned(points.map(placed), last.points.map(placed)));
    const furthest = (of: (point: Point) => number) => Math.max(...turned.flat().map((p) => Math.abs(of(p)))) || 1;
    return [furthest(({ x }) => x), furthest(({ y }) => y)];
  }, [all, last]);
  const wide = Math.max(280, width);
  const high = Math.min(560, Math.max(320, wide * 0.6));
  const scale = Math.min((wide / 2 - 60) / reachX, (high / 2 - 20) / reachY);
  const at = ({ x, y }: Point) => ({ cx: wide / 2 + scale * x, cy: high / 2 - scale * y });
  const mine = view.points.flatMap((point, index) => (point.in_prompt ? [index] : []));
  const marks = mine.map((index) => ({
    ...at(places[index] ?? { x: 0, y: 0 }),
    text: word(view.points[index]?.text ?? "", 12),
  }));
  const labels = labelled(marks, wide, high);
  const share = measure.of(view);
  const shown = pointed === null ? undefined : view.points[pointed];
  return (
    <Figure
      title="Embedding map"
      hint={
        <>
          Each token&apos;s embedding is a point in many dimensions; this is the flat map that keeps the most of their
          differences (principal components): <Computed of="inside.map_share">{percent(share)}</Computed> of them here.
          At the start the points are one round cloud of chance. Training pulls tokens that are used alike together.
          Named, where there is room: the tokens of the prompt; grey: common tokens.
        </>
      }
      summary={`${mine.length} tokens of the prompt among ${view.points.length}; the map shows ${percent(share)} of their differences.`}
      numbers={() => ({
        columns: ["token", "of the prompt", "x", "y"],
        rows: view.points.map(({ text, in_prompt }, index) => [
          word(text, 20),
          in_prompt ? "yes" : "no",
          places[index]?.x ?? 0,
          places[index]?.y ?? 0,
        ]),
      })}
    >
      {(described) => (
        <div ref={ref}>
          <svg
            className={classes.map}
            viewBox={`0 0 ${wide} ${high}`}
            role="img"
            aria-label={`Embedding map of ${view.points.length} tokens`}
            aria-describedby={described}
            onPointerLeave={() => setPointed(null)}
          >
            {places.map((place, index) =>
              view.points[index]?.in_prompt ? null : (
                <circle
                  key={index}
                  {...at(place)}
                  r={pointed === index ? 5 : 3}
                  className={classes.common}
                  onPointerEnter={() => setPointed(index)}
                />
              ),
            )}
            {marks.map(({ cx, cy }, nth) => (
              <circle
                key={nth}
                cx={cx}
                cy={cy}
                r={5}
                className={classes.chosen}
                onPointerEnter={() => setPointed(mine[nth] ?? null)}
              />
            ))}
            {labels.map(
              (label, nth) =>
                label && (
                  <text
                    key={nth}
                    x={label.x}
                    y={label.y}
                    textAnchor={label.anchor}
                    fontSize={13}
                    strokeWidth={3}
                    className={classes.word}
                    onPointerEnter={() => setPointed(mine[nth] ?? null)}
                  >
                    {marks[nth]?.text}
                  </text>
                ),
            )}
          </svg>
          <div className={classes.reading}>{shown && `“${word(shown.text, 20)}”, token ${shown.token_id}`}</div>
        </div>
      )}
    </Figure>
  );
}

function placed({ x, y }: View["points"][number]): Point {
  return { x: drawable(x) ?? 0, y: drawable(y) ?? 0 };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)}%`;
}
