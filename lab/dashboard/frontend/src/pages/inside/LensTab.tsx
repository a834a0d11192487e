import { Stack, Text, Title } from "@mantine/core";
import { useMemo } from "react";
import { numberParam, useParam } from "@/address/useParam";
import type { ViewOf } from "@/api/models";
import { Computed } from "@/components/figures/Computed";
import { LOG_SHARES, logShare, percent, word } from "@/components/model/visible";
import { Scale } from "@/components/model/Scale";
import type { Chosen } from "@/components/model/useChosen";
import { readableOn, viridis } from "@/theme/palette";
import { Bars } from "./Bars";
import { Framed } from "./Framed";
import classes from "./LensTab.module.css";
import { useFrames } from "./useFrames";

const place = numberParam(null);

const measure = {
  name: "the probability that the last layer gives to what really comes next, in the mean",
  of: ({ layers }: ViewOf<"logit-lens">) => {
    const known = (layers.at(-1) ?? []).flatMap(({ probability }) =>
      typeof probability === "number" ? [probability] : [],
    );
    return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
  },
};

export function LensTab({ chosen, prompt }: { chosen: Chosen; prompt: string }) {
  const found = useFrames("logit-lens", { chosen, prompt });
  return (
    <Framed found={found} chosen={chosen} measure={measure}>
      {(result) => <Lens result={result} />}
    </Framed>
  );
}

function Lens({ result }: { result: ViewOf<"logit-lens"> }) {
  const { tokens, layers } = result;
  const [atLayer, setLayer] = useParam("layer", place);
  const [atToken, setToken] = useParam("at", place);
  const layer = Math.min(atLayer ?? layers.length - 1, layers.length - 1);
  const token = Math.min(atToken ?? 0, tokens.length - 1);
  const cell = layers[layer]?.[token];
  const next = tokens[token + 1];
  const settled = useMemo(
    () => tokens.slice(0, -1).filter((_, at) => layers.at(-1)?.[at]?.rank === 1).length,
    [tokens, layers],
  );
  return (
    <Stack gap="md">
      <section aria-label="Logit lens">
        <Title order={3}>Logit lens</Title>
        <Text size="sm" c="dimmed" mb="xs" component="div">
          If the model had to answer after each layer: its first guess for the token that follows, shaded by how sure it
          is. The small number is the <Computed of="inside.rank" /> of the token that really follows; 1 is right. Read a
          column downwards to see the answer form.
        </Text>
        <Text size="sm" mb="xs" component="div">
          The last layer is <Computed of="inside.right" /> about {settled} of {tokens.length - 1} tokens.
        </Text>
        <div className={classes.scroll} tabIndex={0} role="region" aria-label="Guesses by layer and token">
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col" className={classes.side}>
                  token
                </th>
                {tokens.map(({ text }, at) => (
                  <th key={at} scope="col">
                    {word(text, 12)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {layers.map((row, at) => (
                <tr key={at}>
                  <th scope="row" className={classes.side}>
                    layer {at}
                  </th>
                  {row.map(({ top, rank }, column) => {
                    const [best] = top;
                    const share = logShare(best?.probability ?? null) ?? LOG_SHARES[0];
                    const background = viridis((share - LOG_SHARES[0]) / (LOG_SHARES[1] - LOG_SHARES[0]));
                    const chosen = at === layer && column === token;
                    return (
                      <td key={column}>
                        <button
                          type="button"
                          className={classes.cell}
                          style={{ background, color: readableOn(background) }}
                          aria-pressed={chosen}
                          title={percent(best?.probability ?? 0)}
                          aria-label={`Layer ${at}, after “${tokens[column]?.text}”: “${best?.text ?? ""}” with ${percent(best?.probability ?? 0)}${rank === null ? "" : `; what really follows has rank ${rank}`}`}
                          onClick={() => {
                            setLayer(at);
                            setToken(column);
                          }}
                        >
                          {word(best?.text ?? "", 9)}
                          <small>{rank === null ? "–" : rank.toLocaleString("en")}</small>
                        </button>
                      </td>
                    );
                  })}
                </tr>
              ))}
              <tr>
                <th scope="row" className={classes.side}>
                  really next
                </th>
                {tokens.map((_, at) => (
                  <td key={at} className={classes.next}>
                    {at + 1 < tokens.length ? word(tokens[at + 1]?.text ?? "", 12) : "?"}
                  </td>
                ))}
              </tr>
            </tbody>
          </table>
        </div>
        <Scale low="0.01% or less" high="100%" />
      </section>
      {cell && (
        <section aria-label="One guess" style={{ maxWidth: 560 }}>
          <Title order={3}>
            Layer {layer}, after “{word(tokens[token]?.text ?? "")}”
          </Title>
          <Text size="sm" c="dimmed" mb="xs" aria-live="polite">
            {next
              ? `What really follows is “${word(next.text)}”: rank ${cell.rank?.toLocaleString("en") ?? "–"}, ${percent(cell.probability ?? 0)}.`
              : "The prompt ends here: nobody knows what follows."}
          </Text>
          <Bars
            label="Guesses"
            bars={cell.top.map(({ token_id, text, probability }) => ({
              text,
              value: probability,
              mark: token_id === next?.token_id,
            }))}
          />
        </section>
      )}
    </Stack>
  );
}
