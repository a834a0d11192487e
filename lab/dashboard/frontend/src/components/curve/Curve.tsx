import { useElementSize } from "@mantine/hooks";
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { Figure, type Numbers } from "@/components/Figure";
import { lineStyle } from "@/theme/palette";
import { useDark } from "@/theme/useDark";
import classes from "./Curve.module.css";
import { plotOptions } from "./plot";
import { brief, inWords, lowerBound, smoothed, snap, type Points } from "./points";

export interface Series extends Points {
  id: string;
  label: string;
  /** Which colour and dash pattern: the same number, the same style, on every chart of a page. */
  style: number;
  /** Few, single measurements (a validation loss): marked as points, and never smoothed. */
  sparse?: boolean;
}

/** Something on the x axis that can be clicked: a checkpoint. */
export interface Tick {
  x: number;
  label: string;
  onClick: () => void;
}

/** A vertical line over the whole height: a point that was not a number, an alert. */
export interface Mark {
  x: number;
  label: string;
}

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
  formatX?: (x: number) => string;
  ticks?: Tick[];
  marks?: Mark[];
  /** Curves with the same word show their cursors at the same place. */
  sync?: string;
  controls?: ReactNode;
  /** One of several side by side: little room for words. */
  small?: boolean;
}

/** A line as it is drawn. */
interface Drawn {
  line: Series;
  points: Points;
  /** The smooth curve over it; null: none is wanted. */
  trend: Points | null;
}

const NO_TICKS: Tick[] = [];
const NO_MARKS: Mark[] = [];
/** Columns of all lines together: few enough for many updates a second. */
const DRAWN_COLUMNS = 4000;
/** No screen shows more of one line; and with less, its shape would suffer. */
const TREND_COLUMNS = 300;
const [FEWEST_COLUMNS, MOST_COLUMNS] = [150, 1500];

/**
 * Lines over a common x axis. Drag to zoom, double-click to see all. By keyboard: arrows move the cursor, + and - zoom,
 * Escape shows all.
 */
export function Curve(props: Props) {
  const { title, hint, series, xLabel, yLabel = "", height = 280, logX = false, logY = false, smoothing = 0, sync } = props;
  const { formatX = brief, ticks = NO_TICKS, marks = NO_MARKS, controls, small } = props;
  const dark = useDark();
  const { ref: sized, width } = useElementSize<HTMLDivElement>();
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const zoomed = useRef(false);
  const values = useRef(new Map<string, HTMLSpanElement>());
  const place = useRef<HTMLSpanElement>(null);
  const [view, setView] = useState<{ min: number; max: number } | null>(null);
  const [positions, setPositions] = useState<{ left: number; top: number }[]>([]);
  const hintId = useId();

  const drawn = useMemo(() => showable(series, view, logX, logY, smoothing), [series, view, logX, logY, smoothing]);
  const data = useMemo(() => aligned(drawn), [drawn]);
  const look = JSON.stringify(series.map(({ id, style, sparse }) => [id, style, sparse]));

  // What the hooks of a plot look at: they are made once a plot, these change with every update.
  const latest = useRef({ drawn, ticks, marks, formatX });
  useEffect(() => {
    latest.current = { drawn, ticks, marks, formatX };
  });

  // A new plot when something changes that uPlot takes at birth only.
  useEffect(() => {
    if (!holder.current || width === 0) return;
    const showValues = (u: uPlot) => {
      const at = u.cursor.idx;
      const x = at === null || at === undefined ? undefined : u.data[0][at];
      if (place.current) place.current.textContent = x === undefined ? "" : `at ${latest.current.formatX(x)}`;
      for (const { line, points } of latest.current.drawn) {
        const cell = values.current.get(line.id);
        if (cell) cell.textContent = x === undefined ? last(points) : near(points, x);
      }
    };
    const placeTicks = (u: uPlot) => {
      const next = latest.current.ticks.map(({ x }) => ({
        left: x < (u.scales.x?.min ?? x) || x > (u.scales.x?.max ?? x) ? -1 : u.over.offsetLeft + u.valToPos(x, "x"),
        top: u.over.offsetTop + u.over.offsetHeight - 11,
      }));
      setPositions((before) => (same(before, next) ? before : next));
    };
    const drawMarks = (u: uPlot) => {
      for (const { x } of latest.current.marks) {
        const left = u.valToPos(x, "x", true);
        if (left < u.bbox.left || left > u.bbox.left + u.bbox.width) continue;
        u.ctx.save();
        u.ctx.strokeStyle = dark ? "#ff9a91" : "#b3261e";
        u.ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
        u.ctx.lineWidth = 1.5 * devicePixelRatio;
        u.ctx.beginPath();
        u.ctx.moveTo(left, u.bbox.top);
        u.ctx.lineTo(left, u.bbox.top + u.bbox.height);
        u.ctx.stroke();
        u.ctx.restore();
      }
    };
    const lines = series.flatMap((line) => {
      const { colour, dash } = lineStyle(line.style, dark);
      const strong = { colour, dash, width: 2, dots: line.sparse ?? false };
      const faint = { colour: `${colour}59`, dash: [], width: 1, dots: false };
      return smoothing > 0 && !line.sparse ? [faint, strong] : [strong];
    });
    const made = new uPlot(
      plotOptions({
        width,
        height,
        dark,
        logX,
        logY,
        xLabel,
        yLabel,
        formatX: (x) => latest.current.formatX(x),
        lines,
        sync,
        hooks: {
          setScale: [
            (u, key) => {
              const { min, max } = u.scales.x ?? {};
              if (key !== "x" || min === undefined || max === undefined) return;
              setView((before) => (!zoomed.current ? null : before?.min === min && before.max === max ? before : { min, max }));
            },
          ],
          setCursor: [showValues],
          setData: [showValues],
          draw: [placeTicks, drawMarks],
          setSelect: [(u) => void (zoomed.current = zoomed.current || u.select.width > 0)],
        },
      }),
      data,
      holder.current,
    );
    made.over.addEventListener("dblclick", () => {
      zoomed.current = false;
      setView(null);
    });
    plot.current = made;
    zoomed.current = false;
    return () => {
      made.destroy();
      plot.current = null;
    };
    // `data` and `series` change with every point: the effect below hands them over. `look` stands for what of them shapes a plot.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [width > 0, height, dark, logX, logY, xLabel, yLabel, sync, look, smoothing > 0]);

  useEffect(() => {
    if (plot.current && width > 0) plot.current.setSize({ width, height });
  }, [width, height]);

  useEffect(() => {
    plot.current?.setData(data, !zoomed.current);
    if (zoomed.current) plot.current?.redraw(true, false);
  }, [data]);

  useEffect(() => plot.current?.redraw(false, false), [ticks, marks]);

  const showAll = () => {
    zoomed.current = false;
    setView(null);
    plot.current?.setData(data, true);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (plot.current && steer(plot.current, event.key, zoomed, showAll)) event.preventDefault();
  };

  return (
    <Figure
      title={title}
      hint={hint}
      summary={summary(drawn, marks, formatX)}
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
              onKeyDown={onKeyDown}
              style={{ height }}
            />
            <span id={hintId} className="visually-hidden">
              Arrow keys move the cursor, plus and minus zoom, Escape shows all.
            </span>
            {ticks.map((tick, index) => {
              const position = positions[index];
              if (!position || position.left < 0) return null;
              return (
                <button
                  key={`${tick.x} ${tick.label}`}
                  type="button"
                  className={classes.tick}
                  style={position}
                  title={tick.label}
                  aria-label={tick.label}
                  onClick={tick.onClick}
                />
              );
            })}
          </div>
          <ul className={classes.legend} aria-label={`Lines of ${title}`}>
            {series.map((line) => (
              <li key={line.id}>
                <Sample style={line.style} />
                <span className={classes.label} title={line.label}>
                  {line.label}
                </span>
                <span
                  className={classes.value}
                  ref={(cell) => {
                    if (cell) values.current.set(line.id, cell);
                    else values.current.delete(line.id);
                  }}
                />
              </li>
            ))}
            <li>
              <span className={classes.value} ref={place} />
            </li>
          </ul>
        </>
      )}
    </Figure>
  );
}

/** A short piece of a line, for legends. */
export function Sample({ style }: { style: number }) {
  const { colour, dash } = lineStyle(style, useDark());
  return (
    <svg width="30" height="8" aria-hidden style={{ flex: "none" }}>
      <line x1="0" y1="4" x2="30" y2="4" stroke={colour} strokeWidth="2.5" strokeDasharray={dash.join(" ")} />
    </svg>
  );
}

/** What is drawn of each line: the part in view, without what a log axis cannot show, as finely as a screen can. */
function showable(series: Series[], view: { min: number; max: number } | null, logX: boolean, logY: boolean, smoothing: number): Drawn[] {
  const starts = series.map(({ x }) => (logX ? x.find((value) => value > 0) : x[0])).filter((value) => value !== undefined);
  const ends = series.map(({ x }) => x.at(-1)).filter((value) => value !== undefined);
  const columns = {
    from: view?.min ?? Math.min(...starts),
    to: view?.max ?? Math.max(...ends),
    count: Math.min(MOST_COLUMNS, Math.max(FEWEST_COLUMNS, Math.floor(DRAWN_COLUMNS / series.length))),
    log: logX,
  };
  return series.map((line) => {
    const from = logX ? lowerBound(line.x, Number.MIN_VALUE) : 0;
    const positive = from > 0 ? { x: line.x.slice(from), y: line.y.slice(from) } : line;
    return {
      line,
      points: above(logY, snap(positive, columns)),
      trend: smoothing > 0 && !line.sparse ? above(logY, smoothed(positive, smoothing, { ...columns, count: TREND_COLUMNS })) : null,
    };
  });
}

/** Without what a logarithmic axis cannot show. */
function above(log: boolean, { x, y }: Points): Points {
  return { x, y: log ? y.map((value) => (value !== null && value > 0 ? value : null)) : y };
}

/** uPlot wants one x for all lines. */
function aligned(drawn: Drawn[]): uPlot.AlignedData {
  const tables = drawn.flatMap(({ points, trend }) => (trend ? [points, trend] : [points])).map(({ x, y }) => [x, y] as uPlot.AlignedData);
  if (tables.length === 0) return [[]];
  return tables.length === 1 ? (tables[0] as uPlot.AlignedData) : uPlot.join(tables);
}

function steer(u: uPlot, key: string, zoomed: { current: boolean }, showAll: () => void): boolean {
  const xs = u.data[0];
  const { min, max } = u.scales.x ?? {};
  if (xs.length === 0 || min === undefined || max === undefined) return false;
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const at = u.cursor.idx ?? (key === "ArrowLeft" ? xs.length : -1);
    const next = Math.min(xs.length - 1, Math.max(0, at + (key === "ArrowLeft" ? -1 : 1)));
    u.setCursor({ left: u.valToPos(xs[next] as number, "x"), top: u.over.offsetHeight / 2 });
    return true;
  }
  if (key === "Escape") {
    showAll();
    return true;
  }
  if (key === "+" || key === "-") {
    const at = u.cursor.idx;
    const centre = at === null || at === undefined ? (min + max) / 2 : (xs[at] as number);
    const share = key === "+" ? 0.5 : 2;
    zoomed.current = true;
    u.setScale("x", {
      min: centre - (centre - min) * share,
      max: centre + (max - centre) * share,
    });
    return true;
  }
  return false;
}

function last({ y }: Points): string {
  const value = y.findLast((one) => one !== null);
  return value === undefined || value === null ? "" : brief(value);
}

/** The line's value at x, or the one before it. */
function near({ x, y }: Points, at: number): string {
  let low = 0;
  let high = x.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] as number) <= at) low = middle + 1;
    else high = middle;
  }
  for (let index = low - 1; index >= 0; index--) {
    const value = y[index];
    if (value !== null && value !== undefined) return brief(value);
  }
  return "–";
}

function same(one: { left: number; top: number }[], other: { left: number; top: number }[]): boolean {
  return one.length === other.length && one.every((a, i) => Math.abs(a.left - (other[i]?.left ?? NaN)) < 0.5 && a.top === other[i]?.top);
}

function summary(drawn: Drawn[], marks: Mark[], formatX: (x: number) => string): string {
  const words = drawn.map(({ line, points }) => inWords(line.label, points, formatX, line.x.length));
  return [...words, ...marks.map(({ label }) => `${label}.`)].join(" ") || "Nothing to show yet.";
}

function table(series: Series[], xLabel: string): Numbers {
  const [first] = series;
  if (!first) return { columns: [xLabel], rows: [] };
  const joined = uPlot.join(series.map(({ x, y }) => [x, y] as uPlot.AlignedData));
  const rows = Array.from(joined[0], (_, at) => joined.map((column) => (column as (number | null | undefined)[])[at] ?? null));
  return { columns: [xLabel, ...series.map(({ label }) => label)], rows };
}
