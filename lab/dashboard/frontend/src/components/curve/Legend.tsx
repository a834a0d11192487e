import type { RefObject } from "react";
import { Explained } from "@/components/figures/Computed";
import { brief } from "@/series/points";
import { lineStyle } from "@/theme/palette";
import { useDark } from "@/theme/useDark";
import classes from "./Curve.module.css";
import type { Level, Series } from "./types";

interface Props {
  title: string;
  series: Series[];
  /** Their words are on the chart; here they are told also where they lie outside of it. */
  levels: Level[];
  /** Where a line's value at the cursor is written, by the line's id: many times a second, without React. */
  values: RefObject<Map<string, HTMLSpanElement>>;
  /** Where the cursor's own place is written. */
  place: RefObject<HTMLSpanElement | null>;
}

/** The lines of a chart by name, each with its value at the cursor. */
export function Legend({ title, series, levels, values, place }: Props) {
  return (
    <ul className={classes.legend} aria-label={`Lines of ${title}`}>
      {series.map((line) => (
        <li key={line.id}>
          <Sample style={line.style} />
          <span className={classes.label} title={line.label}>
            {line.label}
          </span>
          <span
            className={classes.value}
            ref={(cell) => {
              if (cell) values.current.set(line.id, cell);
              else values.current.delete(line.id);
            }}
          />
        </li>
      ))}
      {levels.map(({ label, y, meaning, style }) => (
        <li key={label} data-level={label}>
          <Sample style={style} dotted />
          <Explained words={`${label}: ${meaning}.`}>{label}</Explained>
          <span className={classes.value}>{brief(y)}</span>
        </li>
      ))}
      <li>
        <span className={classes.value} ref={place} />
      </li>
    </ul>
  );
}

/** A short piece of a line, for legends. */
export function Sample({ style, dotted = false }: { style: number; dotted?: boolean }) {
  const { colour, dash } = lineStyle(style, useDark());
  return (
    <svg width="30" height="8" aria-hidden style={{ flex: "none" }}>
      <line
        x1="0"
        y1="4"
        x2="30"
        y2="4"
        stroke={colour}
        strokeWidth={dotted ? 1.5 : 2.5}
        strokeDasharray={dotted ? "2 4" : dash.join(" ")}
      />
    </svg>
  );
}
