import { useElementSize } from "@mantine/hooks";
import type { ReactNode } from "react";
import { Figure } from "@/components/Figure";
import { compact } from "@/components/run/naming";
import type { Value } from "@/components/run/options";
import { Marker } from "./Marker";
import type { AxisScale } from "./scale";
import classes from "./Parallel.module.css";

/** A run as a point. */
export interface Dot {
  id: string;
  label: string;
  style: number;
  x: Value | undefined;
  y: number | null;
}

interface Props {
  title: string;
  hint?: ReactNode;
  dots: Dot[];
  x: { name: string; scale: AxisScale };
  y: { name: string; scale: AxisScale };
}

const HEIGHT = 300;
const EDGE = { left: 64, right: 24, top: 16, bottom: 48 };

/** A point a run: one quantity across, another one up. */
export function Scatter({ title, hint, dots, x, y }: Props) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const across = (place: number) => EDGE.left + (0.05 + 0.9 * place) * Math.max(1, width - EDGE.left - EDGE.right);
  const up = (place: number) => EDGE.top + (0.95 - 0.9 * place) * (HEIGHT - EDGE.top - EDGE.bottom);
  const foot = HEIGHT - EDGE.bottom;
  const many = x.scale.marks.length * 60 > width - EDGE.left - EDGE.right;
  return (
    <Figure
      title={title}
      hint={hint}
      summary={`${dots.length} runs: ${dots.map((dot) => `${compact(dot.x)} gives ${dot.y?.toFixed(3) ?? "nothing yet"}`).join("; ")}.`}
      numbers={() => ({
        columns: ["run", x.name, y.name],
        rows: dots.map((dot) => [dot.label, typeof dot.x === "number" ? dot.x : compact(dot.x), dot.y]),
      })}
    >
      {(described) => (
        <div ref={ref}>
          <svg
            width="100%"
            height={HEIGHT}
            role="img"
            aria-label={title}
            aria-describedby={described}
            data-testid="scatter"
            data-axis={x.scale.kind}
          >
            <g className={classes.axis}>
              <line x1={EDGE.left} x2={width - EDGE.right} y1={foot} y2={foot} />
              <line x1={EDGE.left} x2={EDGE.left} y1={EDGE.top} y2={foot} />
              {y.scale.marks.map(({ place, label }) => (
                <text key={label} x={EDGE.left - 8} y={up(place) + 4} textAnchor="end">
                  {label}
                </text>
              ))}
              {x.scale.marks.map(({ place, label }, at) => (
                <g key={label}>
                  <line x1={across(place)} x2={across(place)} y1={foot} y2={foot + 4} />
                  {(!many || at % 2 === 0) && (
                    <text x={across(place)} y={foot + 18} textAnchor="middle">
                      {label}
                    </text>
                  )}
                </g>
              ))}
              <text
                x={(EDGE.left + width - EDGE.right) / 2}
                y={HEIGHT - 8}
                textAnchor="middle"
                className={classes.name}
              >
                {x.name}
                {x.scale.kind === "log" ? ", logarithmic" : ""}
              </text>
            </g>
            {dots.map((dot) => {
              const [left, height] = [x.scale.place(dot.x), y.scale.place(dot.y)];
              if (left === null || height === null || width === 0) return null;
              return (
                <Marker
                  key={dot.id}
                  x={across(left)}
                  y={up(height)}
                  style={dot.style}
                  title={`${dot.label}: ${dot.y?.toFixed(4) ?? ""}`}
                />
              );
            })}
          </svg>
        </div>
      )}
    </Figure>
  );
}
