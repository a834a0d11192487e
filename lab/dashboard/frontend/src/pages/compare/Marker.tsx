import { lineStyle } from "@/theme/palette";
import { useDark } from "@/theme/useDark";

/** Outlines within 14 by 14, around the middle: shapes differ where colours may not. */
const SHAPES = [
  "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0z",
  "M-5 -5h10v10h-10z",
  "M0 -6.5l6.5 11h-13z",
  "M0 -7l7 7l-7 7l-7 -7z",
  "M0 6.5l6.5 -11h-13z",
  "M-2 -6h4v4h4v4h-4v4h-4v-4h-4v-4h4z",
  "M0 -6.5l6.2 4.5l-2.4 7.3h-7.6l-2.4 -7.3z",
  "M-7 -2.5h14v5h-14z",
];

/** A point of a picture, with the colour and the shape of its style. */
export function Marker({ x, y, style, title }: { x: number; y: number; style: number; title: string }) {
  const { colour } = lineStyle(style, useDark());
  return (
    <path
      d={SHAPES[style % SHAPES.length]}
      transform={`translate(${x} ${y})`}
      fill={colour}
      stroke="var(--mantine-color-body)"
      strokeWidth="1.5"
      data-testid="point"
    >
      <title>{title}</title>
    </path>
  );
}
