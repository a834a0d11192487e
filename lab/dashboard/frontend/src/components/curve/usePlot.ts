/** The uPlot behind a chart: made when its look changes, fed when its data does. */
import { useEffect, useMemo, useRef, useState, type RefObject } from "react";
import uPlot from "uplot";
import { lineStyle } from "@/theme/palette";
import { useDark } from "@/theme/useDark";
import { aligned, showable } from "./drawn";
import { steer } from "./keys";
import { drawLevels, drawMarks } from "./levels";
import { plotOptions } from "./plot";
import { writeValues } from "./reading";
import type { Position } from "./Ticks";
import type { Level, Mark, Series, Tick } from "./types";

export interface Plotted {
  series: Series[];
  width: number;
  height: number;
  xLabel: string;
  yLabel: string;
  logX: boolean;
  logY: boolean;
  smoothing: number;
  sync: string | undefined;
  formatX: (x: number, more?: number) => string;
  ticks: Tick[];
  marks: Mark[];
  levels: Level[];
}

/** The elements that a plot writes to. */
export interface Places {
  holder: RefObject<HTMLDivElement | null>;
  values: RefObject<Map<string, HTMLSpanElement>>;
  place: RefObject<HTMLSpanElement | null>;
}

export function usePlot(plotted: Plotted, { holder, values, place }: Places) {
  const { series, width, height, xLabel, yLabel, logX, logY, smoothing, sync, formatX, ticks, marks, levels } = plotted;
  const dark = useDark();
  const plot = useRef<uPlot | null>(null);
  const zoomed = useRef(false);
  const [view, setView] = useState<{ min: number; max: number } | null>(null);
  const [positions, setPositions] = useState<Position[]>([]);

  const drawn = useMemo(() => showable(series, view, logX, logY, smoothing), [series, view, logX, logY, smoothing]);
  const data = useMemo(() => aligned(drawn), [drawn]);
  const look = JSON.stringify(series.map(({ id, style, sparse, band }) => [id, style, sparse, band !== undefined]));

  // What the hooks of a plot look at: they are made once a plot, these change with every update.
  const latest = useRef({ drawn, ticks, marks, levels, formatX });
  useEffect(() => {
    latest.current = { drawn, ticks, marks, levels, formatX };
  });

  // A new plot when something changes that uPlot takes at birth only.
  useEffect(() => {
    if (!holder.current || width === 0) return;
    const showValues = (u: uPlot) =>
      writeValues(u, latest.current.drawn, latest.current.formatX, values.current, place.current);
    const placeTicks = (u: uPlot) => {
      const next = latest.current.ticks.map(({ x }) => positionOf(u, x));
      setPositions((before) => (same(before, next) ? before : next));
    };
    const keepView = (u: uPlot, key: string) => {
      const { min, max } = u.scales.x ?? {};
      if (key !== "x" || min === undefined || max === undefined) return;
      setView((before) => (!zoomed.current ? null : before?.min === min && before.max === max ? before : { min, max }));
    };
    const made = new uPlot(
      plotOptions({
        width,
        height,
        dark,
        logX,
        logY,
        xLabel,
        yLabel,
        formatX: (x, more) => latest.current.formatX(x, more),
        levels: () => latest.current.levels,
        lines: series.flatMap((line) => strokes(line, dark, smoothing > 0)),
        bands: bandsOf(series, dark, smoothing > 0),
        sync,
        hooks: {
          setScale: [keepView],
          setCursor: [showValues],
          setData: [showValues],
          draw: [
            placeTicks,
            (u) => drawLevels(u, latest.current.levels, dark),
            (u) => drawMarks(u, latest.current.marks, dark),
          ],
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
    // `data` and `series` change with every point: the effect below hands them over. `look` stands for what of them
    // shapes a plot. The places are refs, which never change.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [width > 0, height, dark, logX, logY, xLabel, yLabel, sync, look, smoothing > 0]);

  useEffect(() => {
    if (plot.current && width > 0) plot.current.setSize({ width, height });
  }, [width, height]);

  useEffect(() => {
    plot.current?.setData(data, !zoomed.current);
    if (zoomed.current) plot.current?.redraw(true, false);
  }, [data, levels]);

  useEffect(() => plot.current?.redraw(false, false), [ticks, marks]);

  const showAll = () => {
    zoomed.current = false;
    setView(null);
    plot.current?.setData(data, true);
  };
  /** Returns whether the key meant anything. */
  const onKey = (key: string) => plot.current !== null && steer(plot.current, key, zoomed, showAll);
  return { positions, onKey };
}

function positionOf(u: uPlot, x: number): Position {
  const outside = x < (u.scales.x?.min ?? x) || x > (u.scales.x?.max ?? x);
  return {
    left: outside ? -1 : u.over.offsetLeft + u.valToPos(x, "x"),
    top: u.over.offsetTop + u.over.offsetHeight - 11,
  };
}

/** How a line is drawn: by itself, or faintly behind its smooth one. */
function strokes(line: Series, dark: boolean, smooth: boolean) {
  const { colour, dash } = lineStyle(line.style, dark);
  const strong = { colour, dash, width: 2, dots: line.sparse ?? false, cursor: true };
  // The cursor's dot is on the line as it was logged, whose value the legend tells.
  const faint = { colour: `${colour}59`, dash: [], width: 1, dots: false, cursor: true };
  const edge = { colour: "transparent", dash: [], width: 0, dots: false, cursor: false };
  return [
    ...(smooth && !line.sparse ? [faint, { ...strong, cursor: false }] : [strong]),
    ...(line.band ? [edge, edge] : []),
  ];
}

/** The bands of the lines: their edges are the last two of each line's strokes. */
function bandsOf(series: Series[], dark: boolean, smooth: boolean) {
  let strokesSoFar = 0;
  return series.flatMap((line) => {
    strokesSoFar += strokes(line, dark, smooth).length;
    if (!line.band) return [];
    const between: [number, number] = [strokesSoFar - 2, strokesSoFar - 1];
    return [{ between, fill: `${lineStyle(line.style, dark).colour}33` }];
  });
}

function same(one: Position[], other: Position[]): boolean {
  return (
    one.length === other.length &&
    one.every((a, i) => Math.abs(a.left - (other[i]?.left ?? NaN)) < 0.5 && a.top === other[i]?.top)
  );
}
