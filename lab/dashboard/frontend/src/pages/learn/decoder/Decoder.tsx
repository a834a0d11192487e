import { Loader, Stack, Text, Title } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useId, useMemo } from "react";
import { choiceParam, numberParam, textParam, useParam } from "@/address/useParam";
import { useStructure, useWalk, type Structure, type Walk } from "@/api/decoder";
import { CheckpointPicker } from "@/components/model/CheckpointPicker";
import { OnceChosen } from "@/components/model/OnceChosen";
import { Prompt } from "@/components/model/Prompt";
import { useChosen, type Chosen } from "@/components/model/useChosen";
import { percent } from "@/components/model/visible";
import { ErrorNote } from "@/components/ErrorNote";
import { Tokens } from "@/components/Tokens";
import { BOXES, boxesOf } from "./boxes";
import classes from "./Decoder.module.css";
import { Diagram } from "./Diagram";
import { amount } from "./figures";
import { Panel } from "./Panel";

const prompts = textParam("The fox said to the miller that the fox");
const zero = numberParam(0);
const nowhere = numberParam(null);
/** The box that is open; "none" once somebody has closed it. */
const opened = choiceParam([...BOXES, "none"] as const, "attention");
/** As in the style sheet: from here on there is room beside the diagram. */
const WIDE = "(min-width: 62em)";
/** Weights by this power: small ones can be told apart, too. */
const SHADE = 0.5;

/** The decoder of a checkpoint, box by box. */
export function Decoder() {
  const chosen = useChosen();
  const [prompt, setPrompt] = useParam("prompt", prompts);
  return (
    <section aria-label="The decoder, box by box">
      <Title order={2} mb={4}>
        The decoder, box by box
      </Title>
      <Text c="dimmed" maw={760} mb="md">
        Drawn from a checkpoint of yours. Choose a token: each box shows what happens to it there, and opens its
        numbers, its shapes and its code.
      </Text>
      <Stack gap="md">
        <CheckpointPicker chosen={chosen} />
        <Prompt prompt={prompt} onChange={setPrompt} />
        <OnceChosen chosen={chosen}>
          <Desk chosen={chosen} prompt={prompt} />
        </OnceChosen>
      </Stack>
    </section>
  );
}

function Desk({ chosen, prompt }: { chosen: Chosen; prompt: string }) {
  const checkpoint = chosen.checkpoint?.id ?? "";
  const [wantedLayer, setLayer] = useParam("layer", zero);
  const [wantedHead, setHead] = useParam("head", zero);
  const [position, setPosition] = useParam("at", nowhere);
  const structure = useStructure(checkpoint);
  const model = structure.data;
  const layer = within(wantedLayer, model?.n_layers ?? 1);
  const head = within(wantedHead, model?.n_heads ?? 1);
  const at = position === null ? null : within(position, 1_000_000);
  const way = useWalk({ checkpoint, prompt, layer, head, position: at }, model?.own.length === 0);
  if (structure.error) return <ErrorNote error={structure.error} onRetry={() => void structure.refetch()} />;
  if (!model) return checkpoint === "" ? null : <Loader aria-label="Asking the model" />;
  const walk = way.error || model.own.length > 0 ? null : (way.data ?? null);
  return (
    <>
      {walk && <PromptTokens walk={walk} onChoose={setPosition} />}
      <Opened model={model} walk={walk} error={way.error} layer={layer} onLayer={setLayer} onHead={setHead} />
    </>
  );
}

/** A whole number from 0 to below `count`. */
function within(wanted: number, count: number): number {
  return Math.min(Math.max(0, Math.trunc(wanted)), count - 1);
}

/** The prompt in tokens: one is followed, and the others are shaded by what it takes of them. */
function PromptTokens({ walk, onChoose }: { walk: Walk; onChoose: (at: number) => void }) {
  const { tokens, position, attention, layer, head, cropped } = walk;
  return (
    <div>
      <Text size="sm" c="dimmed" mb={4}>
        Choose the token to follow. Shades: how much it takes of each token before it, in layer {layer}, head {head}.
        {cropped > 0 && ` The first ${cropped} tokens of the prompt do not fit, and are left out.`}
      </Text>
      <Tokens
        label="The prompt in tokens"
        domain={[0, 1]}
        selected={position}
        onSelect={onChoose}
        tokens={tokens.map(({ text }, at) => {
          const weight = attention?.visible[at] ? attention.weights[at] : undefined;
          return {
            text,
            value: weight === undefined ? null : amount(weight) ** SHADE,
            label: `Token ${at}, “${text}”${weight === undefined ? "" : `, weight ${percent(weight)}`}`,
          };
        })}
      />
    </div>
  );
}

interface OpenedProps {
  model: Structure;
  walk: Walk | null;
  error: unknown;
  layer: number;
  onLayer: (layer: number) => void;
  onHead: (head: number) => void;
}

function Opened({ model, walk, error, layer, onLayer, onHead }: OpenedProps) {
  const [wanted, setOpen] = useParam("box", opened);
  const wide = useMediaQuery(WIDE);
  const panelId = useId();
  const seq = walk?.tokens.length ?? model.context_length;
  const boxes = useMemo(() => boxesOf(model, seq), [model, seq]);
  const box = wanted === "none" ? undefined : boxes[wanted];
  const panel = box && (
    <Panel
      id={panelId}
      box={box}
      model={model}
      walk={walk}
      error={error}
      onHead={onHead}
      onClose={() => setOpen("none")}
    />
  );
  return (
    <div className={classes.desk}>
      <Diagram
        model={model}
        boxes={boxes}
        walk={walk}
        layer={layer}
        onLayer={onLayer}
        open={box?.id ?? null}
        onOpen={(id) => setOpen(id ?? "none")}
        panelId={panelId}
        panel={wide ? null : panel}
      />
      {wide && (panel ?? <Text c="dimmed">Choose a box: it opens here.</Text>)}
    </div>
  );
}
