import { percent, word } from "@/components/model/visible";
import classes from "./Bars.module.css";

interface Props {
  label: string;
  bars: { place?: number; text: string; value: number | string; mark?: boolean }[];
  /** Where a bar is full. */
  full?: number;
  format?: (value: number | string) => string;
}

/** Candidates with a bar each. `mark`: the one that is meant. */
export function Bars({ label, bars, full = 1, format = percent }: Props) {
  return (
    <ul className={classes.bars} aria-label={label}>
      {bars.map(({ place, text, value, mark }, at) => (
        <li key={at} className={classes.bar} data-mark={mark || undefined}>
          <span className={classes.word}>
            {place !== undefined && <span className={classes.place}>{place} </span>}
            {word(text, 16)}
          </span>
          <span className={classes.track} aria-hidden>
            <span
              className={classes.fill}
              style={{ width: `${typeof value === "number" ? Math.min(100, Math.max(0, (value / full) * 100)) : 0}%` }}
            />
          </span>
          <span className={classes.number}>{format(value)}</span>
        </li>
      ))}
    </ul>
  );
}
