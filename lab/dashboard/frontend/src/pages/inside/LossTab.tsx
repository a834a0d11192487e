import { Stack, Text, Title } from "@mantine/core";
import { useMemo } from "react";
import { numberParam, useParam } from "@/address/useParam";
import type { ViewOf } from "@/api/models";
import { counted, useVocabularySize } from "@/api/vocabulary";
import { Figure } from "@/components/Figure";
import { Computed } from "@/components/figures/Computed";
import { Scale } from "@/components/model/Scale";
import type { Chosen } from "@/components/model/useChosen";
import { percent, word } from "@/components/model/visible";
import { Tokens } from "@/components/Tokens";
import { Bars } from "./Bars";
import { Framed } from "./Framed";
import { LossBars } from "./LossBars";
import { drawable, range, useFrames } from "./useFrames";

const place = numberParam(null);
const measure = {
  name: "the mean loss on this prompt",
  of: ({ mean_loss }: ViewOf<"token-loss">) => drawable(mean_loss),
};

export function LossTab({ chosen, prompt }: { chosen: Chosen; prompt: string }) {
  const found = useFrames("token-loss", { chosen, prompt });
  return (
    <Framed found={found} chosen={chosen} measure={measure}>
      {(result, frames) => (
        <Losses
          run={chosen.run}
          result={result}
          all={frames.length > 0 ? frames.map((frame) => frame.result) : [result]}
        />
      )}
    </Framed>
  );
}

interface LossesProps {
  run: string;
  result: ViewOf<"token-loss">;
  all: ViewOf<"token-loss">[];
}

function Losses({ run, result, all }: LossesProps) {
  const { tokens, positions, mean_loss } = result;
  const vocabularySize = useVocabularySize(run);
  const [wanted, setAt] = useParam("at", place);
  const most = useMemo(() => range(all.flatMap((one) => one.positions.map(({ loss }) => loss)))[1], [all]);
  // What is lost at a position is lost on the token after it.
  const losses = tokens.map((_, at) => (at === 0 ? null : (positions[at - 1]?.loss ?? null)));
  const at = wanted !== null && wanted > 0 && wanted < tokens.length ? wanted : null;
  const before = at === null ? undefined : positions[at - 1];
  const worst = losses.reduce<number>(
    (best, value, index) => (typeof value === "number" && value > Number(losses[best] ?? -1) ? index : best),
    0,
  );
  const mean =
    typeof mean_loss === "number"
      ? `${mean_loss.toFixed(2)} nats, perplexity ${Math.exp(mean_loss).toLocaleString("en", { maximumSignificantDigits: 3 })}`
      : String(mean_loss ?? "–");
  return (
    <Stack gap="xl">
      <Figure
        title="Loss of each token"
        hint={
          <>
            How surprised the model is by each token: minus the logarithm of the probability it gave to it. 0 is
            certain; {vocabularySize ? Math.log(vocabularySize).toFixed(1) : "…"} is no better than guessing among all{" "}
            {counted(vocabularySize)}. <Computed of="inside.mean_loss">Mean</Computed>: {mean}.
          </>
        }
        summary={`Mean loss ${mean}. The greatest surprise is token ${worst}, “${word(tokens[worst]?.text ?? "")}”.`}
        numbers={() => ({
          columns: ["place", "token", "loss", "entropy before it"],
          rows: tokens.map(({ text }, index) => [
            index,
            word(text),
            losses[index] ?? null,
            index === 0 ? null : (positions[index - 1]?.entropy ?? null),
          ]),
        })}
      >
        {() => (
          <Stack gap="sm" mt="xs">
            <LossBars
              tokens={tokens}
              losses={losses.map(drawable)}
              most={most}
              selected={at}
              onSelect={(next) => setAt(next === at ? null : next)}
            />
            <Tokens
              label="The prompt, shaded by loss"
              domain={[0, most]}
              selected={at}
              onSelect={(next) => setAt(next === at ? null : next)}
              tokens={tokens.map(({ text }, index) => ({
                text,
                value: drawable(losses[index] ?? null),
                label: `Token ${index}, “${text}”: ${index === 0 ? "nothing comes before it" : `loss ${showLoss(losses[index])}`}`,
              }))}
            />
            <Scale low="0: expected" high={`${most.toFixed(1)}: surprising`} />
          </Stack>
        )}
      </Figure>
      {at !== null && before ? (
        <section aria-label="What was expected" style={{ maxWidth: 560 }}>
          <Title order={3}>What was expected in place of “{word(tokens[at]?.text ?? "")}”</Title>
          <Text size="sm" c="dimmed" mb="xs" aria-live="polite" component="div">
            It came with {percent(probability(before.loss))}; the model was undecided by {showLoss(before.entropy)} nats
            (the <Computed of="inside.entropy" /> of its guess).
          </Text>
          <Bars
            label="Guesses"
            bars={before.top.map((one) => ({
              text: one.text,
              value: one.probability,
              mark: one.token_id === tokens[at]?.token_id,
            }))}
          />
        </section>
      ) : (
        <Text size="sm" c="dimmed">
          Choose a token to see what the model expected in its place.
        </Text>
      )}
    </Stack>
  );
}

function probability(loss: number | string | null): number {
  return typeof loss === "number" ? Math.exp(-loss) : 0;
}

function showLoss(loss: number | string | null | undefined): string {
  return typeof loss === "number" ? loss.toFixed(2) : (loss ?? "–");
}
