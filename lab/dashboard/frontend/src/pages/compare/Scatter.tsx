import { useElementSize } from "@mantine/hooks";
import { brief } from "@/series/points";
import { Figure } from "@/components/Figure";
import { written } from "@/components/run/options";
import { loss } from "@/components/words";
import { finite } from "@/live/record";
import { lineStyle } from "@/theme/palette";
import { useDark } from "@/theme/useDark";
import { RESULT_NAMES, scaleOf, type Compared, type Result } from "./outcomes";
import classes from "./Parallel.module.css";

interface Props {
  compared: Compared[];
  option: string;
  result: Result;
}

const HEIGHT = 300;
const EDGE = { left: 64, right: 24, top: 16, bottom: 48 };

/** A point a run: an option across, the result up. */
export function Scatter({ compared, option, result }: Props) {
  const dark = useDark();
  const { ref, width } = useElementSize<HTMLDivElement>();
  const across = scaleOf(
    compared.map((one) => one.options[option]),
    brief,
  );
  const up = scaleOf(
    compared.map((one) => finite(one.run[result])),
    brief,
  );
  const x = (share: number) => EDGE.left + (0.05 + 0.9 * share) * Math.max(1, width - EDGE.left - EDGE.right);
  const y = (share: number) => EDGE.top + (0.95 - 0.9 * share) * (HEIGHT - EDGE.top - EDGE.bottom);
  const marks = across.words ?? [...new Set(compared.map((one) => one.options[option]))];
  return (
    <Figure
      title={`${RESULT_NAMES[result]} by ${option}`}
      hint="Each point is a run."
      summary={`${compared.length} runs: ${compared.map(({ run, options }) => `${written(options[option])} gives ${loss(run[result])}`).join("; ")}.`}
      numbers={() => ({
        columns: ["run", option, RESULT_NAMES[result]],
        rows: compared.map(({ run, label, options }) => [label, written(options[option]), finite(run[result])]),
      })}
    >
      {(described) => (
        <div ref={ref}>
          <svg
            width="100%"
            height={HEIGHT}
            role="img"
            aria-label={`${RESULT_NAMES[result]} by ${option}`}
            aria-describedby={described}
          >
            <g className={classes.axis}>
              <line x1={EDGE.left} x2={width - EDGE.right} y1={HEIGHT - EDGE.bottom} y2={HEIGHT - EDGE.bottom} />
              <line x1={EDGE.left} x2={EDGE.left} y1={EDGE.top} y2={HEIGHT - EDGE.bottom} />
              <text x={EDGE.left - 8} y={y(1) + 4} textAnchor="end">
                {up.ends[1]}
              </text>
              <text x={EDGE.left - 8} y={y(0) + 4} textAnchor="end">
                {up.ends[0]}
              </text>
              {marks.map((value) => {
                const place = across.place(value);
                return (
                  place !== null && (
                    <text key={written(value)} x={x(place)} y={HEIGHT - EDGE.bottom + 18} textAnchor="middle">
                      {typeof value === "number" ? brief(value) : written(value)}
                    </text>
                  )
                );
              })}
              <text x={(EDGE.left + width) / 2} y={HEIGHT - 8} textAnchor="middle" className={classes.name}>
                {option}
              </text>
            </g>
            {compared.map(({ run, label, options, style }) => {
              const [left, height] = [across.place(options[option]), up.place(finite(run[result]))];
              if (left === null || height === null) return null;
              return (
                <circle
                  key={run.id}
                  cx={x(left)}
                  cy={y(height)}
                  r="7"
                  fill={lineStyle(style, dark).colour}
                  stroke="var(--mantine-color-body)"
                  strokeWidth="2"
                >
                  <title>{`${label}: ${loss(run[result])}`}</title>
                </circle>
              );
            })}
          </svg>
        </div>
      )}
    </Figure>
  );
}
