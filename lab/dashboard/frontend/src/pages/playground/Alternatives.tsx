import { Group, Text } from "@mantine/core";
import type { FigureName } from "@/components/figures/catalogue";
import { Computed } from "@/components/figures/Computed";
import { percent, word } from "@/components/model/visible";
import classes from "./Alternatives.module.css";
import { reshape, type Shape } from "./reshape";
import type { Written } from "./story";

interface Props {
  token: Written;
  at: number;
  shape: Shape;
  onChoose: (tokenId: number) => void;
}

const SHOWN = 10;

/** One token of the text: what the model thought of it, and what it might have said instead. */
export function Alternatives({ token, at, shape, onChoose }: Props) {
  const own = token.alternatives.map(({ probability }) => probability ?? 0);
  const drawn = reshape(own, shape);
  const shown = token.alternatives.slice(0, SHOWN);
  const greatest = Math.max(...own, ...(drawn ?? []), 1e-9);
  return (
    <section aria-label={`Token ${at}`} data-testid="alternatives">
      <Group gap="lg" mb="xs">
        <Fact name="token" value={`“${word(token.text, 20)}”`} />
        <Fact of="playground.probability" value={token.probability === null ? "–" : percent(token.probability)} />
        <Fact of="playground.rank" value={(token.rank + 1).toLocaleString("en")} />
        <Fact of="playground.entropy" value={token.entropy === null ? "–" : `${token.entropy.toFixed(2)} nats`} />
      </Group>
      <Text size="sm" c="dimmed" mb="xs">
        {token.chosen ? "You chose this one. " : ""}
        What could have stood here. Bars: the model&apos;s own probability
        {drawn
          ? "; the line in each, and the number after the arrow: the one it is drawn with, at the present settings"
          : ""}
        . Choose one, and the text goes on from it.
      </Text>
      <ol className={classes.list} aria-label="Alternatives">
        {shown.map(({ token_id, text, probability }, rank) => (
          <li key={token_id}>
            <button
              type="button"
              className={classes.bar}
              data-drawn={drawn !== null || undefined}
              aria-pressed={token_id === token.token_id}
              disabled={token_id === token.token_id}
              aria-label={`“${text}”, ${percent(probability ?? 0)}${drawn ? `, drawn with ${percent(drawn[rank] ?? 0)}` : ""}${token_id === token.token_id ? ": this one stands there" : ": go on with it"}`}
              onClick={() => onChoose(token_id)}
            >
              <span className={classes.word}>{word(text, 16)}</span>
              <span className={classes.track} aria-hidden>
                <span className={classes.fill} style={{ width: `${((probability ?? 0) / greatest) * 100}%` }} />
                {drawn && (
                  <span className={classes.drawn} style={{ width: `${((drawn[rank] ?? 0) / greatest) * 100}%` }} />
                )}
              </span>
              <span className={classes.number}>
                {percent(probability ?? 0)}
                {drawn && <span className={classes.then}> → {percent(drawn[rank] ?? 0)}</span>}
              </span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Fact({ name, of, value }: { name?: string; of?: FigureName; value: string }) {
  return (
    <div data-tile={of}>
      <Text size="xs" c="dimmed" component="div">
        {of ? <Computed of={of} /> : name}
      </Text>
      <Text fw={600} ff="monospace" size="sm">
        {value}
      </Text>
    </div>
  );
}
