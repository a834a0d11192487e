import { lineStyle } from "@/theme/palette";
import { useDark } from "@/theme/useDark";

interface Props {
  values: (number | null)[];
  /** What it shows, for whoever cannot see it. */
  label: string;
  width?: number;
  height?: number;
}

/** A curve the size of a word. */
export function Sparkline({ values, label, width = 120, height = 28 }: Props) {
  const dark = useDark();
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  if (known.length < 2) return <span className="visually-hidden">{label}</span>;
  const low = Math.min(...known);
  const high = Math.max(...known);
  const points = values
    .map((value, at) => {
      if (value === null || !Number.isFinite(value)) return null;
      const x = 2 + (at / (values.length - 1)) * (width - 4);
      const y = 2 + (high > low ? 1 - (value - low) / (high - low) : 0.5) * (height - 4);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    })
    .filter((point) => point !== null);
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <polyline
        points={points.join(" ")}
        fill="none"
        stroke={lineStyle(0, dark).colour}
        strokeWidth="1.6"
        strokeLinejoin="round"
      />
    </svg>
  );
}
