import type { PromptToken } from "@/api/models";
import { word } from "@/components/model/visible";
import classes from "./LossBars.module.css";

interface Props {
  tokens: PromptToken[];
  losses: (number | null)[];
  /** Where a bar is full: the same in every frame. */
  most: number;
  selected: number | null;
  onSelect: (at: number) => void;
}

/** A bar for each token. For the pointer: by keyboard, and for whoever cannot see it, the shaded tokens say the same. */
export function LossBars({ tokens, losses, most, selected, onSelect }: Props) {
  return (
    <div className={classes.bars} aria-hidden>
      {tokens.map(({ text }, at) => {
        const loss = losses[at] ?? null;
        return (
          <div
            key={at}
            className={classes.column}
            data-selected={at === selected || undefined}
            onClick={() => at > 0 && onSelect(at)}
            title={loss === null ? undefined : `${word(text)}: ${loss.toFixed(2)}`}
          >
            <span className={classes.room}>
              <span className={classes.bar} style={{ height: `${((loss ?? 0) / (most || 1)) * 100}%` }} />
            </span>
            <span className={classes.word}>{word(text, 10)}</span>
          </div>
        );
      })}
    </div>
  );
}
