/**
 * Colours that people with any kind of colour vision can tell apart, and for lines a dash pattern each, so that they
 * differ in print, too. Okabe and Ito 2008, https://jfly.uni-koeln.de/color/; yellow is left out, which white swallows,
 * and their sky blue is darker on white.
 */
import { interpolateViridis } from "d3-scale-chromatic";

export interface LineStyle {
  colour: string;
  /** As for a canvas: lengths of line and gap, in pixels. Empty: solid. */
  dash: number[];
}

const LIGHT = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#2b98dc", "#b07a00", "#000000"];
const DARK = ["#56b4e9", "#ff8a3d", "#2fd0a0", "#e79cc7", "#9ad7ff", "#f0b73a", "#ffffff"];
const DASHES: number[][] = [
  [],
  [7, 4],
  [2, 3],
  [10, 3, 2, 3],
  [14, 4],
  [4, 2],
  [7, 2, 2, 2, 2, 2],
  [18, 3, 3, 3],
  [1, 5],
  [12, 8],
];

/** The style of line number `index`: after seven colours they come again, with other dashes; 70 are all different. */
export function lineStyle(index: number, dark: boolean): LineStyle {
  const colours = dark ? DARK : LIGHT;
  const round = Math.floor(index / colours.length);
  return {
    colour: colours[index % colours.length] ?? "#888888",
    dash: DASHES[(index + round * 2) % DASHES.length] ?? [],
  };
}

/** Viridis, from 0 (dark violet) to 1 (yellow): equal steps look equal, also in grey. */
export function viridis(share: number): string {
  return interpolateViridis(Math.min(1, Math.max(0, share)));
}

/** Blue for below zero, white for zero, orange for above; `share` from -1 to 1. */
export function diverging(share: number): string {
  const strength = Math.min(1, Math.abs(share));
  const end = share < 0 ? [0, 114, 178] : [213, 94, 0];
  const mixed = end.map((channel) => Math.round(247 + (channel - 247) * strength));
  return `rgb(${mixed.join(", ")})`;
}

/** Black or white: which of them can be read on `colour` (an rgb(...) or #rrggbb). */
export function readableOn(colour: string): "#000000" | "#ffffff" {
  const channels = colour.startsWith("#")
    ? [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16))
    : (colour.match(/[\d.]+/g) ?? []).map(Number);
  const [red = 0, green = 0, blue = 0] = channels.map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  // WCAG's relative luminance: above 0.179, black has the greater contrast.
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000000" : "#ffffff";
}
