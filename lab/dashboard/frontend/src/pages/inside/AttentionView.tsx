import { Grid, Stack, Text, Title } from "@mantine/core";
import { useMemo } from "react";
import { numberParam, useParam } from "@/address/useParam";
import type { ViewOf } from "@/api/models";
import { Heatmap } from "@/components/Heatmap";
import { percent } from "@/components/model/visible";
import { HeadGrid } from "./HeadGrid";
import { habits, SHADE, tellHabits } from "./heads";
import { LooksAt } from "./LooksAt";

interface Props {
  result: ViewOf<"attention">;
  /** Of the chosen head. */
  weights: number[][];
  layer: number;
  head: number;
  onChoose: (layer: number, head: number) => void;
}

const place = numberParam(null);
const ALL: [number, number] = [0, 1];
/** Pixels of a cell that can be met, and whose token be named beside it; of more tokens, the map scrolls. */
const NAMED = 8;

export function AttentionView({ result, weights, layer, head, onChoose }: Props) {
  const [at, setAt] = useParam("at", place);
  const { tokens } = result;
  const labels = useMemo(() => tokens.map(({ text }) => text), [tokens]);
  // Right of the diagonal is the future: no number, not a zero.
  const values = useMemo(
    () => weights.map((row, from) => row.map((weight, to) => (to > from ? null : weight))),
    [weights],
  );
  const from = Math.min(at ?? tokens.length - 1, tokens.length - 1);
  return (
    <Grid gap="xl">
      <Grid.Col span={{ base: 12, lg: 5 }}>
        <Stack gap="xl">
          <section aria-label="All heads">
            <Title order={3}>All heads</Title>
            <Text size="sm" c="dimmed" mb="xs">
              One picture for each head: row by row, how much each token takes from those before it. A bright diagonal
              looks at itself, a bright first column at the start of the text. Choose one to see it large.
            </Text>
            <HeadGrid heads={result.heads} nHeads={result.n_heads} layer={layer} head={head} onChoose={onChoose} />
          </section>
          <LooksAt tokens={tokens} weights={weights} at={from} onChoose={setAt} />
        </Stack>
      </Grid.Col>
      <Grid.Col span={{ base: 12, lg: 7 }}>
        <Heatmap
          title={`Attention of layer ${layer}, head ${head}`}
          hint="Each row is a token that looks, each column one that is looked at. A row sums to 100%; the empty corner is the future, which no token may see. Shades follow the square root, so that small shares can be told apart."
          values={values}
          rowLabels={labels}
          columnLabels={labels}
          rowName="from"
          columnName="to"
          domain={ALL}
          power={SHADE}
          leastCell={NAMED}
          format={percent}
          summary={`${tokens.length} tokens. ${tellHabits(habits(weights))}`}
          selected={{ row: from, column: from }}
          onSelect={({ row }) => setAt(row)}
        />
      </Grid.Col>
    </Grid>
  );
}
