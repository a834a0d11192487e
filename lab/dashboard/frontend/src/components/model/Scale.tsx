import { viridis } from "@/theme/palette";
import classes from "./Scale.module.css";

const STOPS = Array.from({ length: 11 }, (_, at) => viridis(at / 10)).join(", ");

/** What the shades of tokens mean. */
export function Scale({ low, high }: { low: string; high: string }) {
  return (
    <div className={classes.scale}>
      {low}
      <span className={classes.bar} style={{ background: `linear-gradient(to right, ${STOPS})` }} aria-hidden />
      {high}
    </div>
  );
}
