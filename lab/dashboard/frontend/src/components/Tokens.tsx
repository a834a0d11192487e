import { Button } from "@mantine/core";
import { Fragment, useState } from "react";
import { readableOn, viridis } from "@/theme/palette";
import classes from "./Tokens.module.css";

export interface ShadedToken {
  text: string;
  /** What the shade tells; null: no shade. */
  value: number | null;
  /** Said when the pointer rests on the token, and to screen readers. */
  label?: string;
}

interface Props {
  tokens: ShadedToken[];
  /** Values of the two ends of the scale: dark violet, and yellow. */
  domain: [number, number];
  selected?: number | null;
  onSelect?: (index: number) => void;
  label: string;
}

/** So many are drawn at once: a browser takes seconds for tens of thousands, and nobody reads them. */
const MOST = 2_000;

/** A text as its tokens, each shaded by a value. A token that can be chosen is a button. */
export function Tokens({ tokens, domain: [low, high], selected = null, onSelect, label }: Props) {
  const [all, setAll] = useState(false);
  const more = all || (selected ?? 0) >= MOST ? 0 : tokens.length - MOST;
  return (
    <div className={classes.tokens} role="group" aria-label={label} data-testid="tokens">
      {(more > 0 ? tokens.slice(0, MOST) : tokens).map((token, index) => {
        const background =
          token.value === null ? undefined : viridis(high > low ? (token.value - low) / (high - low) : 0);
        const look = {
          className: `${classes.token} ${index === selected ? classes.selected : ""}`,
          style: background ? { background, color: readableOn(background) } : { background: "none", color: "inherit" },
          title: token.label,
        };
        const shown = visible(token.text);
        const newline = token.text.endsWith("\n") && <br />;
        return (
          <Fragment key={index}>
            {onSelect ? (
              <button
                type="button"
                {...look}
                aria-pressed={index === selected}
                aria-label={token.label ?? token.text}
                onClick={() => onSelect(index)}
              >
                {shown}
              </button>
            ) : (
              <span {...look}>{shown}</span>
            )}
            {newline}
          </Fragment>
        );
      })}
      {more > 0 && (
        <Button size="compact-xs" variant="default" ml="xs" onClick={() => setAll(true)}>
          Show the other {more.toLocaleString("en")}
        </Button>
      )}
    </div>
  );
}

/** Line ends as a sign, so that a token of nothing but one can be seen and chosen. */
function visible(text: string): string {
  return text.replaceAll("\n", "⏎").replaceAll("\t", "⇥");
}
