import { useElementSize } from "@mantine/hooks";
import { useId, useRef, type ReactNode } from "react";
import "uplot/dist/uPlot.min.css";
import { Figure } from "@/components/Figure";
import { inDigits } from "@/series/points";
import classes from "./Curve.module.css";
import { summary, table } from "./drawn";
import { Legend } from "./Legend";
import { Ticks } from "./Ticks";
import type { Level, Mark, Series, Tick } from "./types";
import { usePlot } from "./usePlot";

interface Props {
  title: string;
  hint?: ReactNode;
  series: Series[];
  xLabel: string;
  yLabel?: string;
  height?: number;
  logX?: boolean;
  logY?: boolean;
  /** From 0 (none) to below 1; the raw curve stays visible behind the smooth one. */
  smoothing?: number;
  formatX?: (x: number, more?: number) => string;
  ticks?: Tick[];
  marks?: Mark[];
  /** What the lines are to be held against. */
  levels?: Level[];
  /** Curves with the same word show their cursors at the same place. */
  sync?: string;
  controls?: ReactNode;
  /** One of several side by side: little room for words. */
  small?: boolean;
}

const NO_TICKS: Tick[] = [];
const NO_MARKS: Mark[] = [];
const NO_LEVELS: Level[] = [];

/**
 * Lines over a common x axis. Drag to zoom, double-click to see all. By keyboard: arrows move the cursor, + and - zoom,
 * Escape shows all.
 */
export function Curve(props: Props) {
  const { title, hint, series, xLabel, yLabel = "", height = 280, controls, small, sync } = props;
  const { logX = false, logY = false, smoothing = 0, formatX = inDigits, ticks = NO_TICKS, marks = NO_MARKS } = props;
  const { levels = NO_LEVELS } = props;
  const { ref: sized, width } = useElementSize<HTMLDivElement>();
  const holder = useRef<HTMLDivElement>(null);
  const values = useRef(new Map<string, HTMLSpanElement>());
  const place = useRef<HTMLSpanElement>(null);
  const hintId = useId();
  const { positions, onKey } = usePlot(
    { series, width, height, xLabel, yLabel, logX, logY, smoothing, sync, formatX, ticks, marks, levels },
    { holder, values, place },
  );
  return (
    <Figure
      title={title}
      hint={hint}
      summary={summary(series, levels, marks, formatX)}
      numbers={() => table(series, xLabel)}
      controls={controls}
      small={small}
    >
      {(described) => (
        <>
          <div ref={sized} className={classes.plot} style={{ height }}>
            <div
              ref={holder}
              role="img"
              tabIndex={0}
              aria-label={`${title}, a chart`}
              aria-describedby={`${described} ${hintId}`}
              onKeyDown={(event) => {
                if (onKey(event.key)) event.preventDefault();
              }}
              style={{ height }}
            />
            <span id={hintId} className={classes.hint}>
              Arrow keys move the cursor, plus and minus zoom, Escape shows all. With the mouse: drag to zoom,
              double-click to see all.
            </span>
            <Ticks ticks={ticks} positions={positions} />
          </div>
          <Legend title={title} series={series} levels={levels} values={values} place={place} />
        </>
      )}
    </Figure>
  );
}
