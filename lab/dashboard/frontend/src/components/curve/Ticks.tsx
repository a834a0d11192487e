import classes from "./Curve.module.css";
import type { Tick } from "./types";

/** Where a tick stands on the page, in pixels; left of 0: out of view. */
export interface Position {
  left: number;
  top: number;
}

/** The ticks on the x axis, as buttons. */
export function Ticks({ ticks, positions }: { ticks: Tick[]; positions: Position[] }) {
  return ticks.map((tick, index) => {
    const position = positions[index];
    if (!position || position.left < 0) return null;
    return (
      <button
        key={`${tick.x} ${tick.label}`}
        type="button"
        className={classes.tick}
        style={position}
        title={tick.label}
        aria-label={tick.label}
        onClick={tick.onClick}
      />
    );
  });
}
