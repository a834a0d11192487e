import { Group, Loader, NativeSelect, SegmentedControl, Text, Title } from "@mantine/core";
import { numberParam, textParam, useParam } from "@/address/useParam";
import { useWithout, type WithAndWithout } from "@/api/decoder";
import type { Figure } from "@/api/types";
import { Computed } from "@/components/figures/Computed";
import { ErrorNote } from "@/components/ErrorNote";
import { word } from "@/components/model/visible";
import classes from "./WithoutHead.module.css";

interface Props {
  checkpoint: string;
  prompt: string;
  nLayers: number;
  nHeads: number;
  /** The head that matters most here: what is switched off until somebody chooses. */
  worst: { layer: number; head: number };
}

const number = numberParam(null);
const WHOLE_LAYER = "all";
const heads = textParam("");
const draws = textParam("0");
const TOKENS = 40;

/** The same prompt written on by the whole model and by one that lacks a head, or a layer. */
export function WithoutHead({ checkpoint, prompt, nLayers, nHeads, worst }: Props) {
  const [wantedLayer, setLayer] = useParam("off_layer", number);
  const [wantedHead, setHead] = useParam("off_head", heads);
  const [temperature, setTemperature] = useParam("off_temperature", draws);
  const layer = within(wantedLayer ?? worst.layer, nLayers);
  const head = wantedHead === WHOLE_LAYER ? null : within(wantedHead === "" ? worst.head : Number(wantedHead), nHeads);
  const { data, error, isFetching, refetch } = useWithout(
    { checkpoint, prompt, layer, head, max_tokens: TOKENS, temperature: temperature === "0" ? 0 : 0.8, seed: 1 },
    nLayers > 0,
  );
  return (
    <section aria-label="The text with and without it" data-testid="without">
      <Title order={3}>The text with and without it</Title>
      <Text size="sm" c="dimmed" mb="xs">
        Both go on from the prompt above with the same random numbers. The first token that differs has a frame; what
        follows it goes its own way.
      </Text>
      <Group gap="sm" mb="sm" align="flex-end">
        <NativeSelect
          size="xs"
          label="Switch off in layer"
          value={String(layer)}
          onChange={(event) => setLayer(Number(event.currentTarget.value))}
          data={Array.from({ length: nLayers }, (_, at) => ({ value: String(at), label: `layer ${at}` }))}
        />
        <NativeSelect
          size="xs"
          label="this head"
          value={head === null ? WHOLE_LAYER : String(head)}
          onChange={(event) => setHead(event.currentTarget.value)}
          data={[
            ...Array.from({ length: nHeads }, (_, at) => ({ value: String(at), label: `head ${at}` })),
            { value: WHOLE_LAYER, label: "the whole layer" },
          ]}
        />
        <SegmentedControl
          size="xs"
          aria-label="How to draw"
          value={temperature === "0" ? "0" : "0.8"}
          onChange={setTemperature}
          data={[
            { value: "0", label: "Always the likeliest" },
            { value: "0.8", label: "Drawn at 0.8, seed 1" },
          ]}
        />
        {isFetching && <Loader size="xs" aria-label="The model writes" />}
      </Group>
      {error ? <ErrorNote error={error} onRetry={() => void refetch()} /> : data && <Sides found={data} />}
    </section>
  );
}

function within(wanted: number, count: number): number {
  return Number.isInteger(wanted) ? Math.min(Math.max(0, wanted), Math.max(0, count - 1)) : 0;
}

function Sides({ found }: { found: WithAndWithout }) {
  const { whole, without, head, layer, first_difference: first } = found;
  const name = head === null ? `Without layer ${layer}` : `Without layer ${layer}, head ${head}`;
  const one = first === null ? undefined : whole.tokens[first];
  const other = first === null ? undefined : without.tokens[first];
  return (
    <>
      <Text size="sm" mb="xs" role="status">
        {first === null
          ? `Both write the same ${whole.tokens.length} tokens.`
          : `They part at token ${first}: ${one ? `“${word(one.text)}”` : "the end"} with it, ${other ? `“${word(other.text)}”` : "the end"} without.`}
      </Text>
      <div className={classes.sides}>
        <Side title="The whole model" side={whole} found={found} />
        <Side title={name} side={without} found={found} than={whole.loss} />
      </div>
    </>
  );
}

interface SideProps {
  title: string;
  side: WithAndWithout["whole"];
  found: WithAndWithout;
  than?: Figure | null;
}

function Side({ title, side, found, than }: SideProps) {
  const { tokens, first_difference: first } = found;
  const at = first ?? side.tokens.length;
  const text = (from: number, to?: number) =>
    visible(
      side.tokens
        .slice(from, to)
        .map((token) => token.text)
        .join(""),
    );
  const marked = side.tokens[at]?.text;
  return (
    <section className={classes.side} aria-label={title}>
      <Title order={4} fz="sm">
        {title}
      </Title>
      <Text size="sm" c="dimmed" component="div">
        {side.loss === null ? (
          "A prompt of one token has no loss."
        ) : (
          <>
            <Computed of="inside.prompt_loss">Loss on the prompt</Computed>: {lossOf(side.loss, than)}
          </>
        )}
      </Text>
      <p className={classes.text}>
        <span className={classes.prompt}>{tokens.map((token) => token.text).join("")}</span>
        {text(0, at)}
        {marked !== undefined && <mark className={classes.first}>{marked.replaceAll("\n", "⏎")}</mark>}
        <span className={classes.after}>{text(at + 1)}</span>
      </p>
    </section>
  );
}

/** Line ends as signs, and many of them as one: a model that has learnt little writes little else. */
function visible(text: string): string {
  return text.replaceAll(/\n+/g, (ends) => `${"⏎".repeat(ends.length)}\n`);
}

function lossOf(loss: Figure, than?: Figure | null): string {
  if (typeof loss !== "number") return `${loss} nats a token`;
  const change = typeof than === "number" ? loss - than : null;
  const more = change === null ? "" : ` (${change >= 0 ? "+" : "−"}${Math.abs(change).toFixed(4)})`;
  return `${loss.toFixed(4)} nats a token${more}`;
}
