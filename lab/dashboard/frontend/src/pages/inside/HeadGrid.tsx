import { Text } from "@mantine/core";
import { Fragment, useState } from "react";
import type { ViewOf } from "@/api/models";
import { habits, tellHabits } from "./heads";
import classes from "./HeadGrid.module.css";
import { Thumbnail } from "./Thumbnail";

interface Props {
  heads: ViewOf<"attention">["heads"];
  nHeads: number;
  layer: number;
  head: number;
  onChoose: (layer: number, head: number) => void;
}

/** All maps, small: a row for each layer, a column for each head. */
export function HeadGrid({ heads, nHeads, layer, head, onChoose }: Props) {
  const layers = [...new Set(heads.map((one) => one.layer))];
  const [pointed, setPointed] = useState<{ layer: number; head: number } | null>(null);
  const at = pointed ?? { layer, head };
  const told = heads.find((one) => one.layer === at.layer && one.head === at.head);
  return (
    <>
      <div className={classes.scroll} onMouseLeave={() => setPointed(null)} onBlur={() => setPointed(null)}>
        <div
          className={classes.grid}
          style={{ gridTemplateColumns: `auto repeat(${nHeads}, minmax(34px, 96px))` }}
          role="group"
          aria-label="Heads, by layer"
        >
          <Text size="xs" c="dimmed" ta="right" aria-hidden>
            head
          </Text>
          {Array.from({ length: nHeads }, (_, at) => (
            <Text key={at} size="xs" c="dimmed" ta="center" aria-hidden>
              {at}
            </Text>
          ))}
          {layers.map((row) => (
            <Fragment key={row}>
              <Text size="xs" c="dimmed" className={classes.layer} aria-hidden>
                layer {row}
              </Text>
              {heads
                .filter((one) => one.layer === row)
                .map(({ head: column, weights }) => (
                  <button
                    key={column}
                    type="button"
                    className={classes.head}
                    aria-pressed={row === layer && column === head}
                    aria-label={`Layer ${row}, head ${column}. ${tellHabits(habits(weights))}`}
                    onClick={() => onChoose(row, column)}
                    onMouseEnter={() => setPointed({ layer: row, head: column })}
                    onFocus={() => setPointed({ layer: row, head: column })}
                  >
                    <Thumbnail weights={weights} />
                  </button>
                ))}
            </Fragment>
          ))}
        </div>
      </div>
      <Text size="sm" mt="xs" mih="4.5em" data-testid="head-habits">
        {told && `Layer ${at.layer}, head ${at.head}. ${tellHabits(habits(told.weights))}`}
      </Text>
    </>
  );
}
