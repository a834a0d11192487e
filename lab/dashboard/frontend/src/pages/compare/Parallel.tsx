import { useElementSize } from "@mantine/hooks";
import { useState } from "react";
import { Figure } from "@/components/Figure";
import { written } from "@/components/run/options";
import { count, loss } from "@/components/words";
import { finite } from "@/live/record";
import { lineStyle } from "@/theme/palette";
import { useDark } from "@/theme/useDark";
import { RESULT_NAMES, type Compared, type Result } from "./results";
import { figureScale, optionScale } from "./scale";
import classes from "./Parallel.module.css";

interface Props {
  compared: Compared[];
  options: string[];
  result: Result;
}

const HEIGHT = 300;
const TOP = 54;
const BOTTOM = 24;
const SIDE = 80;

/** Parallel coordinates: an axis for each option, the result on the right, and each run a line from axis to axis. */
export function Parallel({ compared, options, result }: Props) {
  const dark = useDark();
  const { ref, width } = useElementSize<HTMLDivElement>();
  const [pointed, setPointed] = useState<string | null>(null);
  const results = compared.map((one) => finite(one.run[result]));
  const axes = [
    ...options.map((name) => {
      const values = compared.map((one) => one.options[name]);
      return { name, values, scale: optionScale(values) };
    }),
    { name: RESULT_NAMES[result], values: results, scale: figureScale(results) },
  ];
  const room = Math.max(width, axes.length * 150);
  const x = (at: number) => SIDE + (axes.length > 1 ? (at * (room - 2 * SIDE)) / (axes.length - 1) : 0);
  const y = (share: number) => TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);
  const winner = best(compared, result);
  return (
    <Figure
      title="What led where"
      hint="Each line is a run: follow it from its options to its result on the right. Point at a run's name to see its line alone."
      summary={
        winner
          ? `${compared.length} runs over ${options.length} options. The ${result === "tokens_per_second" ? "highest" : "lowest"} ${RESULT_NAMES[result].replace(/^best /, "")}: ${result === "tokens_per_second" ? count(winner.run[result]) : loss(winner.run[result])}, ${winner.label}, with ${options.map((name) => `${name}=${written(winner.options[name])}`).join(", ")}.`
          : `${compared.length} runs, none with a result yet.`
      }
      numbers={() => ({
        columns: ["run", ...axes.map(({ name }) => name)],
        rows: compared.map(({ label }, row) => [
          label,
          ...axes.map(({ values }) => (typeof values[row] === "number" ? values[row] : written(values[row]))),
        ]),
      })}
    >
      {(described) => (
        <div ref={ref} className={classes.wrap}>
          <svg width={room} height={HEIGHT} role="img" aria-label="Parallel coordinates" aria-describedby={described}>
            {compared.map(({ run, label, style }, row) => {
              const look = lineStyle(style, dark);
              const places = axes.map(({ scale, values }, at) => ({ x: x(at), share: scale.place(values[row]) }));
              const points = places
                .filter((place) => place.share !== null)
                .map((place) => `${place.x},${y(place.share ?? 0)}`);
              return (
                <polyline
                  key={run.id}
                  points={points.join(" ")}
                  fill="none"
                  stroke={look.colour}
                  strokeDasharray={look.dash.join(" ")}
                  strokeWidth={pointed === run.id ? 4 : 2}
                  opacity={pointed !== null && pointed !== run.id ? 0.15 : 0.9}
                  onPointerEnter={() => setPointed(run.id)}
                  onPointerLeave={() => setPointed(null)}
                >
                  <title>{label}</title>
                </polyline>
              );
            })}
            {axes.map(({ name, scale }, at) => (
              <g key={name} className={classes.axis}>
                <line x1={x(at)} x2={x(at)} y1={TOP} y2={HEIGHT - BOTTOM} />
                <text
                  x={x(at)}
                  y={at % 2 === 0 ? 12 : 28}
                  textAnchor={anchor(at, axes.length)}
                  className={classes.name}
                >
                  {name}
                  {scale.kind === "log" ? " (log)" : ""}
                </text>
                {scale.marks.map(({ place, label }) => (
                  <text key={label} x={x(at) + 6} y={y(place) + 4}>
                    {label}
                  </text>
                ))}
              </g>
            ))}
          </svg>
          <ul className={classes.names}>
            {compared.map(({ run, label }) => (
              <li key={run.id}>
                <button
                  type="button"
                  onPointerEnter={() => setPointed(run.id)}
                  onPointerLeave={() => setPointed(null)}
                  onFocus={() => setPointed(run.id)}
                  onBlur={() => setPointed(null)}
                >
                  {label}
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </Figure>
  );
}

function anchor(at: number, count: number): "start" | "middle" | "end" {
  return at === 0 ? "start" : at === count - 1 ? "end" : "middle";
}

/** The run with the lowest loss, or the highest speed. */
function best(compared: Compared[], result: Result): Compared | null {
  const sign = result === "tokens_per_second" ? -1 : 1;
  const rank = ({ run }: Compared) => sign * (finite(run[result]) ?? Infinity * sign);
  return (
    compared.filter(({ run }) => finite(run[result]) !== null).sort((one, other) => rank(one) - rank(other))[0] ?? null
  );
}
