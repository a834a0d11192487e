import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Numbers } from "@/api/decoder";
import type { Figure } from "@/api/types";
import { fixed, whole } from "./figures";
import classes from "./Numbers.module.css";

const SHOWN = 6;

/** The beginning of a vector, or all of it. `size`: how long it is, where not all of it is here. */
export function Vector({ values, size, all = false }: { values: Figure[]; size?: number; all?: boolean }) {
  const shown = all ? values : values.slice(0, SHOWN);
  const more = (size ?? values.length) - shown.length;
  return (
    <span className={classes.vector}>
      {shown.map((value, at) => (
        <span key={at}>{fixed(value)}</span>
      ))}
      {more > 0 && ` … ${whole(more)} more`}
    </span>
  );
}

/** A vector by its figures and its first numbers. */
export function Described({ name, numbers }: { name: string; numbers: Numbers }) {
  return (
    <div>
      <Text size="sm">
        <strong>{name}</strong>: length {fixed(numbers.norm)}, mean {fixed(numbers.mean)}, deviation{" "}
        {fixed(numbers.std)}
      </Text>
      <Vector values={numbers.first} size={numbers.size} />
    </div>
  );
}

/** A table of numbers that scrolls by itself. */
export function Sums({ label, head, children }: { label: string; head: string[]; children: ReactNode }) {
  return (
    <div className={classes.scroll} tabIndex={0} role="region" aria-label={label}>
      <table className={classes.table}>
        <thead>
          <tr>
            {head.map((name, at) => (
              <th key={at} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
