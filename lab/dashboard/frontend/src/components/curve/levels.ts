/** What is drawn over a chart: horizontal levels and vertical marks, with their words. */
import type uPlot from "uplot";
import { brief } from "@/series/points";
import { lineStyle } from "@/theme/palette";
import type { Level, Mark } from "./types";

/** An axis is stretched for a level by this share of what the lines span: a far one would press them flat. */
const REACH = 0.4;
const LETTERS = 11;

/** The ends of the y axis: those of the lines, and of the levels near them. */
export function withLevels(min: number | null, max: number | null, levels: Level[], log: boolean): [number, number] {
  if (min === null || max === null) {
    const known = levels.map(({ y }) => y).filter((y) => !log || y > 0);
    return known.length > 0 ? [Math.min(...known), Math.max(...known)] : [NaN, NaN];
  }
  const map = log ? Math.log : (value: number) => value;
  const reach = REACH * (map(max) - map(min));
  const near = levels
    .filter(({ y }) => (!log || y > 0) && map(y) >= map(min) - reach && map(y) <= map(max) + reach)
    .map(({ y }) => y);
  return [Math.min(min, ...near), Math.max(max, ...near)];
}

/** Dotted lines, each with its words at its right end. */
export function drawLevels(u: uPlot, levels: Level[], dark: boolean): void {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio;
  let [lastTop, lastLeft] = [-Infinity, 0];
  // From above to below, so that words that would overlap go under their line.
  for (const { y, label, style } of [...levels].sort((one, other) => other.y - one.y)) {
    const top = u.valToPos(y, "y", true);
    if (!(top >= bbox.top - 1 && top <= bbox.top + bbox.height + 1)) continue;
    ctx.save();
    ctx.strokeStyle = lineStyle(style, dark).colour;
    ctx.fillStyle = dark ? "#a9b3bc" : "#59626a"; // words in the colour of the axes': not every line's can be read
    ctx.lineWidth = 1.25 * ratio;
    ctx.setLineDash([2 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, top);
    ctx.lineTo(bbox.left + bbox.width, top);
    ctx.stroke();
    const height = LETTERS * ratio;
    const room = top - bbox.top > height * 1.6 && top - lastTop > height * 1.4;
    ctx.font = `${height}px system-ui, sans-serif`;
    ctx.textAlign = "right";
    const words = `${label} ${brief(y)}`;
    const below = !room && top + height + 3 * ratio <= bbox.top + bbox.height;
    // At the foot of the chart there is no room under the line, either: there they stand before the words above.
    const end = room || below ? bbox.left + bbox.width - 4 * ratio : lastLeft - 12 * ratio;
    ctx.textBaseline = below ? "top" : "bottom";
    written(ctx, words, end, top + (below ? 3 : -2) * ratio, dark);
    lastTop = below ? top + height : top;
    lastLeft = end - ctx.measureText(words).width;
    ctx.restore();
  }
}

export function drawMarks(u: uPlot, marks: Mark[], dark: boolean): void {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio;
  for (const { x, word } of marks) {
    const left = u.valToPos(x, "x", true);
    if (left < bbox.left || left > bbox.left + bbox.width) continue;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = dark ? "#ff9a91" : "#b3261e";
    ctx.setLineDash([4 * ratio, 3 * ratio]);
    ctx.lineWidth = 1.5 * ratio;
    ctx.beginPath();
    ctx.moveTo(left, bbox.top);
    ctx.lineTo(left, bbox.top + bbox.height);
    ctx.stroke();
    if (word) {
      ctx.font = `${LETTERS * ratio}px system-ui, sans-serif`;
      ctx.textAlign = "left";
      ctx.textBaseline = "top";
      // Right of the line, where there is room; else left of it, or as far to the right as it goes.
      const [width, gap, end] = [ctx.measureText(word).width, 5 * ratio, bbox.left + bbox.width];
      const before = left - gap - width;
      const start = left + gap + width <= end ? left + gap : before >= bbox.left ? before : end - width;
      written(ctx, word, start, bbox.top + 20 * ratio, dark);
    }
    ctx.restore();
  }
}

/** Words that can be read over lines: on a rim in the colour of the ground. */
function written(ctx: CanvasRenderingContext2D, words: string, x: number, y: number, dark: boolean): void {
  ctx.setLineDash([]);
  ctx.lineWidth = 4 * devicePixelRatio;
  ctx.lineJoin = "round";
  ctx.strokeStyle = dark ? "#14181c" : "#ffffff";
  ctx.strokeText(words, x, y);
  ctx.fillText(words, x, y);
}
