import { Fragment } from "react";
import type { Token } from "@/api/models";
import classes from "./Pieces.module.css";

interface Props {
  tokens: Token[];
  selected: number | null;
  onSelect: (at: number) => void;
}

/** A text cut into its tokens, in alternating shades, so that one sees where each begins. */
export function Pieces({ tokens, selected, onSelect }: Props) {
  return (
    <div className={classes.pieces} role="group" aria-label="The text in tokens" data-testid="pieces">
      {tokens.map(({ token_id, text }, at) => (
        <Fragment key={at}>
          <button
            type="button"
            className={classes.piece}
            data-shade={at % 4}
            aria-pressed={at === selected}
            aria-label={`token ${at}: “${text}”, id ${token_id}`}
            title={`id ${token_id}`}
            onClick={() => onSelect(at)}
          >
            {text.replaceAll("\n", "⏎").replaceAll("\t", "⇥")}
          </button>
          {text.endsWith("\n") && <br />}
        </Fragment>
      ))}
    </div>
  );
}
