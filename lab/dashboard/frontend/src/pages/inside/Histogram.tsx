import { Text } from "@mantine/core";
import type { components } from "@/api/schema";
import classes from "./Histogram.module.css";
import { outline } from "./histogram";

interface Props {
  title: string;
  statistics: components["schemas"]["Statistics"];
  /** The ends of the axis. */
  domain: [number, number];
}

const WIDTH = 240;
const HEIGHT = 70;

/** How often numbers of each size come. */
export function Histogram({ title, statistics: { counts, edges, mean, std }, domain }: Props) {
  const [low, high] = domain;
  const zero = ((0 - low) / (high - low || 1)) * WIDTH;
  const show = (value: number | string) => (typeof value === "number" ? value.toPrecision(3) : value);
  return (
    <div className={classes.one}>
      <Text size="sm" fw={600}>
        {title}
      </Text>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        className={classes.picture}
        role="img"
        aria-label={`${title}: mean ${show(mean)}, deviation ${show(std)}`}
      >
        {zero > 0 && zero < WIDTH && <line x1={zero} x2={zero} y1={0} y2={HEIGHT} className={classes.zero} />}
        {outline(counts, edges, domain).map(({ from, to, height }, at) => (
          <rect
            key={at}
            x={from * WIDTH}
            width={Math.max(0.5, (to - from) * WIDTH)}
            y={HEIGHT - height * (HEIGHT - 4)}
            height={height * (HEIGHT - 4)}
            className={classes.bin}
          />
        ))}
      </svg>
      <div className={classes.ends} aria-hidden>
        <span>{low.toPrecision(2)}</span>
        <span>
          {show(mean)} ± {show(std)}
        </span>
        <span>{high.toPrecision(2)}</span>
      </div>
    </div>
  );
}
