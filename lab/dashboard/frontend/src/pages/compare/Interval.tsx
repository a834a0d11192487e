import { useElementSize } from "@mantine/hooks";
import { scaleLinear } from "d3-scale";
import { Figure } from "@/components/Figure";
import { apart } from "@/series/points";
import { lineStyle } from "@/theme/palette";
import { useDark } from "@/theme/useDark";
import classes from "./Interval.module.css";

/** A difference with its interval: null where there is none. */
export interface Row {
  id: string;
  label: string;
  style: number;
  difference: number | null;
  low: number | null;
  high: number | null;
  outcome: "better" | "worse" | "not decided";
}

const ROW = 34;
const FOOT = 40;
const SIDE = 28;

/** Differences against zero: an interval that holds zero decides nothing. Less is better. */
export function Interval({ rows, unit, against, columns, numbers }: Props) {
  const dark = useDark();
  const { ref, width } = useElementSize<HTMLDivElement>();
  const values = rows.flatMap(({ difference, low, high }) => [difference, low, high]).filter((value) => value !== null);
  const scale = scaleLinear([Math.min(0, ...values), Math.max(0, ...values)], [SIDE, Math.max(2 * SIDE, width - SIDE)]);
  if (values.every((value) => value === 0)) scale.domain([-1, 1]);
  const ticks = scale.ticks(Math.max(2, width / 140));
  const labels = apart(ticks);
  const height = rows.length * ROW + FOOT;
  return (
    <Figure
      title={`Difference against ${against.split(" (")[0]}, ${unit}`}
      hint="The point is the difference, the bar its 95% interval. Left of zero is better; a bar that crosses zero decides nothing. No bar: too few seeds."
      summary={rows.map(inWords).join(" ")}
      numbers={() => ({ columns, rows: numbers })}
    >
      {(described) => (
        <div ref={ref} data-testid="intervals">
          <svg
            width="100%"
            height={height}
            role="img"
            aria-label="Differences with their intervals"
            aria-describedby={described}
          >
            <g className={classes.axis}>
              <line x1={scale(0)} x2={scale(0)} y1={0} y2={height - FOOT + 4} className={classes.zero} />
              {ticks.map((tick, at) => (
                <text key={tick} x={scale(tick)} y={height - 22} textAnchor="middle">
                  {tick > 0 ? "+" : ""}
                  {labels[at]?.replace("-", "−")}
                </text>
              ))}
              <text x={SIDE} y={height - 4}>
                ← better
              </text>
              <text x={width - SIDE} y={height - 4} textAnchor="end">
                worse →
              </text>
            </g>
            {width > 0 &&
              rows.map((row, at) => (
                <g
                  key={row.id}
                  transform={`translate(0 ${at * ROW})`}
                  data-testid="interval"
                  data-outcome={row.outcome}
                >
                  <text x={4} y={12} className={classes.label}>
                    <title>{row.label}</title>
                    {fitting(row.label, row.outcome, width)}
                    <tspan className={classes.outcome}> {row.outcome}</tspan>
                  </text>
                  {row.low !== null && row.high !== null && (
                    <line
                      x1={scale(row.low)}
                      x2={scale(row.high)}
                      y1={23}
                      y2={23}
                      stroke={lineStyle(row.style, dark).colour}
                      strokeWidth={row.outcome === "not decided" ? 3 : 7}
                    />
                  )}
                  {row.difference !== null && (
                    <circle
                      cx={scale(row.difference)}
                      cy={23}
                      r={5}
                      fill={row.low === null ? "var(--mantine-color-body)" : lineStyle(row.style, dark).colour}
                      stroke={row.low === null ? lineStyle(row.style, dark).colour : "var(--mantine-color-body)"}
                      strokeWidth={2}
                    />
                  )}
                </g>
              ))}
          </svg>
        </div>
      )}
    </Figure>
  );
}

interface Props {
  rows: Row[];
  unit: string;
  against: string;
  /** The same and more as a table. */
  columns: string[];
  numbers: (string | number | null)[][];
}

const LETTER = 7; // pixels of the widest usual one

/** As much of a label as there is room for before the outcome. */
function fitting(label: string, outcome: string, width: number): string {
  const room = Math.floor(width / LETTER) - outcome.length - 3;
  return label.length <= room ? label : `${label.slice(0, Math.max(8, room))}…`;
}

function inWords({ label, difference, low, high, outcome }: Row): string {
  const interval = low === null || high === null ? "no interval" : `${signed(low)} to ${signed(high)}`;
  return `${label}: ${signed(difference)} (${interval}), ${outcome}.`;
}

export function signed(value: number | null): string {
  return value === null ? "–" : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(4)}`;
}
