/** Options for uPlot: axes, scales and lines of a curve. */
import { scaleLinear, scaleLog } from "d3-scale";
import type uPlot from "uplot";
import { apart } from "@/series/points";
import { withLevels } from "./levels";
import type { Level } from "./types";

export interface Line {
  colour: string;
  dash: number[];
  width: number;
  /** Single points that no line connects. */
  dots: boolean;
  /** Does the cursor put a dot on it? */
  cursor: boolean;
}

export interface PlotOptions {
  width: number;
  height: number;
  dark: boolean;
  logX: boolean;
  logY: boolean;
  xLabel: string;
  yLabel: string;
  /** With so many digits more than usual. */
  formatX: (x: number, more?: number) => string;
  lines: Line[];
  /** Horizontal lines that the y axis has room for, if they are near. */
  levels: () => Level[];
  /** Between which two of the lines, counted from 0, the ground is tinted. */
  bands: { between: [number, number]; fill: string }[];
  /** Plots with the same key share their cursor. */
  sync?: string;
  hooks: uPlot.Hooks.Arrays;
}

export function plotOptions(o: PlotOptions): uPlot.Options {
  const ink = o.dark ? "#a9b3bc" : "#59626a";
  const grid = o.dark ? "#2a3138" : "#e6eaee";
  const axis = {
    stroke: ink,
    grid: { stroke: grid, width: 1 },
    ticks: { stroke: grid, width: 1, size: 5 },
    font: "12px system-ui, sans-serif",
  };
  return {
    width: o.width,
    height: o.height,
    legend: { show: false },
    cursor: {
      drag: { x: true, y: false, setScale: true },
      focus: { prox: 24 },
      points: { size: (_, series) => (o.lines[series - 1]?.cursor ? 7 : 0) },
      ...(o.sync ? { sync: { key: o.sync, setSeries: false, scales: ["x", null] as [string, null] } } : {}),
    },
    scales: {
      x: { time: false, distr: o.logX ? 3 : 1, range: (_, min, max) => range(min, max, o.logX, 0) },
      y: {
        distr: o.logY ? 3 : 1,
        range: (_, min, max) => range(...withLevels(min, max, o.levels(), o.logY), o.logY, 0.06),
      },
    },
    axes: [
      {
        ...axis,
        size: 38,
        label: o.xLabel,
        labelSize: 16,
        labelFont: "12px system-ui, sans-serif",
        labelGap: -4,
        splits: (plot, _, min, max) => {
          const places = splits(min, max, o.logX, Math.max(2, plot.width / 110));
          // There is nothing between two steps.
          return plot.data[0].every(Number.isInteger) ? places.filter(Number.isInteger) : places;
        },
        filter: (_, values) => values,
        values: (_, values) => apart(values, o.formatX),
      },
      {
        ...axis,
        size: 56,
        label: o.yLabel,
        labelSize: 16,
        labelFont: "12px system-ui, sans-serif",
        splits: (plot, _, min, max) => splits(min, max, o.logY, Math.max(3, plot.height / 60)),
        filter: (_, values) => values,
        values: (_, values) => apart(values),
      },
    ],
    series: [
      {},
      ...o.lines.map((line) => ({
        stroke: line.colour,
        width: line.width,
        dash: line.dash,
        spanGaps: false,
        // Of a single point there is no line to be seen.
        points: { show: (plot: uPlot, at: number) => line.dots || isAlone(plot.data[at]), size: 6, fill: line.colour },
      })),
    ],
    // uPlot counts the x axis as the first.
    bands: o.bands.map(({ between: [high, low], fill }) => ({ series: [high + 1, low + 1], fill })),
    hooks: o.hooks,
  };
}

function isAlone(values: uPlot.AlignedData[number] | undefined): boolean {
  let numbers = 0;
  for (const value of values ?? []) if (value !== null && value !== undefined && ++numbers > 1) return false;
  return numbers === 1;
}

/** A little air above and below; and a range also where there is a single value, or none. */
function range(min: number | null, max: number | null, log: boolean, air: number): [number, number] {
  if (min === null || max === null || Number.isNaN(min)) return log ? [1, 10] : [0, 1];
  if (log) {
    if (min === max) return [min / 2, max * 2];
    const stretch = (max / min) ** air;
    return [min / stretch, max * stretch];
  }
  if (min === max) return [min - (Math.abs(min) || 1) * 0.5, max + (Math.abs(max) || 1) * 0.5];
  const extra = (max - min) * air;
  // A quantity that is never negative gets no axis below zero for the sake of air.
  return [min >= 0 ? Math.max(0, min - extra) : min - extra, max + extra];
}

/** Round values; on a log axis of less than a decade, the powers of ten alone would be none. */
function splits(min: number, max: number, log: boolean, count: number): number[] {
  if (!log || max / min < 10) return scaleLinear().domain([min, max]).ticks(count);
  const ticks = scaleLog().domain([min, max]).ticks(count);
  const leading = (tick: number) => Number(tick.toExponential(6).split("e")[0]);
  const coarse = ticks.filter((tick) => [1, 2, 5].includes(leading(tick)));
  return coarse.length <= count * 1.3 ? coarse : ticks.filter((tick) => leading(tick) === 1);
}
