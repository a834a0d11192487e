import { Tooltip, UnstyledButton } from "@mantine/core";
import type { ReactNode } from "react";
import { FIGURES, type Entry, type FigureName } from "./catalogue";
import classes from "./Computed.module.css";

const HOW = { multiline: true, maw: 340, events: { hover: true, focus: true, touch: true } };

/** The name of a figure; whoever points at it, goes to it by Tab or touches it is told what it is computed from. */
export function Computed({ of, children }: { of: FigureName; children?: ReactNode }) {
  return (
    <Explained words={told(of)} figure={of}>
      {children ?? FIGURES[of].label}
    </Explained>
  );
}

/** The same around something that can be gone to by itself: a button. */
export function Told({ of, children }: { of: FigureName; children: ReactNode }) {
  return (
    <Tooltip label={told(of)} {...HOW}>
      {children}
    </Tooltip>
  );
}

/** What a figure is computed from, and where a run keeps it. */
export function told(of: FigureName): string {
  const { from, source }: Entry = FIGURES[of];
  return source ? `${from} (${source})` : from;
}

/** A word with a sentence behind it. */
export function Explained({ words, figure, children }: { words: string; figure?: string; children: ReactNode }) {
  return (
    <Tooltip label={words} {...HOW}>
      <UnstyledButton component="span" role="button" tabIndex={0} className={classes.name} data-figure={figure}>
        {children}
      </UnstyledButton>
    </Tooltip>
  );
}

interface Props {
  of: FigureName;
  value: ReactNode;
  more?: ReactNode;
}

/** A figure with its name, as a term and its description: for a <dl>. */
export function Tile({ of, value, more }: Props) {
  return (
    <div className={classes.figure} data-tile={of}>
      <dt>
        <Computed of={of} />
      </dt>
      <dd>
        {value}
        {more !== undefined && <small>{more}</small>}
      </dd>
    </div>
  );
}
