import { Text, Title } from "@mantine/core";
import { useState, type FocusEvent, type MouseEvent } from "react";
import type { PromptToken } from "@/api/models";
import { Computed } from "@/components/figures/Computed";
import { percent, word } from "@/components/model/visible";
import { readableOn, viridis } from "@/theme/palette";
import { Bars } from "./Bars";
import { SHADE } from "./heads";
import classes from "./LooksAt.module.css";

interface Props {
  tokens: PromptToken[];
  weights: number[][];
  /** The token whose look is shown while none is pointed at. */
  at: number;
  onChoose: (at: number) => void;
}

const MOST = 6;

/** Token to token: where the one under the pointer looks. */
export function LooksAt({ tokens, weights, at, onChoose }: Props) {
  const [pointed, setPointed] = useState<number | null>(null);
  const from = Math.min(pointed ?? at, tokens.length - 1);
  const row = weights[from] ?? [];
  const best = row
    .map((weight, place) => ({ place, text: tokens[place]?.text ?? "", value: weight }))
    .slice(0, from + 1)
    .sort((one, other) => other.value - one.value)
    .slice(0, MOST);
  const place = (event: MouseEvent | FocusEvent) => {
    const found = (event.target as HTMLElement).closest<HTMLElement>("[data-place]")?.dataset.place;
    if (found !== undefined) setPointed(Number(found));
  };
  return (
    <section aria-label="From token to token">
      <Title order={3}>From token to token</Title>
      <Text size="sm" c="dimmed" mb="xs">
        Point at a token, or go to it with Tab: the ones before it light up by how much of each it takes. What comes
        after it, it cannot see.
      </Text>
      <div
        className={classes.tokens}
        role="group"
        aria-label="Tokens"
        onMouseOver={place}
        onFocus={place}
        onMouseLeave={() => setPointed(null)}
        onBlur={() => setPointed(null)}
      >
        {tokens.map(({ text }, index) => {
          const weight = row[index] ?? 0;
          const background = index > from ? undefined : viridis(weight ** SHADE);
          return (
            <button
              key={index}
              type="button"
              data-place={index}
              className={classes.token}
              data-hidden={index > from || undefined}
              aria-pressed={index === at}
              style={background ? { background, color: readableOn(background) } : undefined}
              aria-label={`Token ${index}, “${text}”${index <= from ? `: ${percent(weight)} of the look of token ${from}` : ""}`}
              title={index <= from ? percent(weight) : undefined}
              onClick={() => onChoose(index)}
            >
              {word(text, 14)}
              {index === from && <span className={classes.from} aria-hidden />}
            </button>
          );
        })}
      </div>
      <Text size="sm" mt="sm" mb={4} aria-live="polite" component="div">
        Token {from}, <strong>“{word(tokens[from]?.text ?? "")}”</strong>, looks most at, by{" "}
        <Computed of="inside.weight" />:
      </Text>
      <Bars label={`What token ${from} looks at`} bars={best} />
    </section>
  );
}
