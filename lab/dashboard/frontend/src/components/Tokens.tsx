import { Button } from "@mantine/core";
import { Fragment } from "react";
import { readableOn, viridis } from "@/theme/palette";
import classes from "./Tokens.module.css";
import { useDrawn } from "./useDrawn";

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

/** A text as its tokens, each shaded by a value. A token that can be chosen is a button. */
export function Tokens({ tokens, domain: [low, high], selected = null, onSelect, label }: Props) {
  const { drawn, more, showAll } = useDrawn(tokens, selected);
  return (
    <div className={classes.tokens} role="group" aria-label={label} data-testid="tokens">
      {drawn.map((token, index) => {
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
        <Button size="compact-xs" variant="default" ml="xs" onClick={showAll}>
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
