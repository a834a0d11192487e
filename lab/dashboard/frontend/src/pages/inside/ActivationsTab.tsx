import { SegmentedControl, SimpleGrid, Stack, Text } from "@mantine/core";
import { useMemo } from "react";
import { choiceParam, useTab } from "@/address/useParam";
import type { ViewOf } from "@/api/models";
import { Computed } from "@/components/figures/Computed";
import { Figure } from "@/components/Figure";
import { Heatmap } from "@/components/Heatmap";
import type { Chosen } from "@/components/model/useChosen";
import { DeadUnits } from "./DeadUnits";
import { Framed } from "./Framed";
import { Histogram } from "./Histogram";
import { drawable, range, useFrames } from "./useFrames";

const PARTS = ["residual", "attention", "feed_forward"] as const;
type Part = (typeof PARTS)[number];
const parts = choiceParam(PARTS, "residual");
const NAMES: Record<Part, { name: string; hint: string }> = {
  residual: {
    name: "residual stream",
    hint: "The stream behind each block: what the next one reads. It grows from block to block, as each adds to it.",
  },
  attention: {
    name: "attention adds",
    hint: "What attention adds to the stream. Narrow: this layer's attention changes little.",
  },
  feed_forward: {
    name: "hidden units",
    hint: "The wide middle of the feed-forward network, behind the GELU: most are near zero, a few speak up.",
  },
};

const measure = {
  name: "the length of the stream behind the last block, in the mean",
  of: ({ residual_norms }: ViewOf<"activations">) => {
    const known = (residual_norms.at(-1) ?? []).filter((value) => typeof value === "number");
    return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
  },
};

export function ActivationsTab({ chosen, prompt }: { chosen: Chosen; prompt: string }) {
  const found = useFrames("activations", { chosen, prompt });
  return (
    <Framed found={found} chosen={chosen} measure={measure}>
      {(result, frames) => (
        <Activations result={result} all={frames.length > 0 ? frames.map((frame) => frame.result) : [result]} />
      )}
    </Framed>
  );
}

function Activations({ result, all }: { result: ViewOf<"activations">; all: ViewOf<"activations">[] }) {
  const [part, setPart] = useTab("part", parts);
  const norms = useMemo(() => result.residual_norms.map((row) => row.map(drawable)), [result]);
  const domain = useMemo<[number, number]>(() => [0, range(all.flatMap((one) => one.residual_norms.flat()))[1]], [all]);
  const edges = useMemo(
    () => range(all.flatMap((one) => one.layers.flatMap((layer) => layer[part].edges))),
    [all, part],
  );
  const rows = useMemo(() => norms.map((_, at) => (at === 0 ? "embedding" : `block ${at - 1}`)), [norms]);
  const columns = useMemo(() => result.tokens.map(({ text }) => text), [result]);
  const [least, greatest] = range(norms.flat());
  return (
    <Stack gap="xl">
      <Heatmap
        title="Length of the residual stream"
        hint={
          <>
            Each token&apos;s vector on its way up: its <Computed of="inside.length" /> behind the embedding and behind
            each block. A row that jumps is a block that writes much.
          </>
        }
        values={norms}
        rowLabels={rows}
        columnLabels={columns}
        rowName="behind"
        columnName="token"
        domain={domain}
        format={(value) => value.toFixed(2)}
        summary={`Lengths from ${least.toFixed(2)} to ${greatest.toFixed(2)}, over ${rows.length} stages and ${columns.length} tokens.`}
      />
      <Figure
        title="How the numbers are spread"
        hint={NAMES[part].hint}
        summary={result.layers
          .map((layer, at) => `Layer ${at}: mean ${show(layer[part].mean)}, deviation ${show(layer[part].std)}.`)
          .join(" ")}
        numbers={() => ({
          columns: ["layer", "mean", "deviation", "share near zero"],
          rows: result.layers.map((layer, at) => [at, layer[part].mean, layer[part].std, layer[part].sparsity]),
        })}
        controls={
          <SegmentedControl
            size="xs"
            aria-label="Which numbers"
            data={PARTS.map((value) => ({ value, label: NAMES[value].name }))}
            value={part}
            onChange={(value) => setPart(parts.read(value))}
          />
        }
      >
        {() => (
          <>
            <SimpleGrid cols={{ base: 1, xs: 2, md: 3, xl: 4 }} mt="xs">
              {result.layers.map((layer, at) => (
                <Histogram key={at} title={`Layer ${at}`} statistics={layer[part]} domain={edges} />
              ))}
            </SimpleGrid>
            <Text size="xs" c="dimmed" mt="xs">
              The axis is the same for all layers and all frames; each picture is as high as its highest bin.
            </Text>
          </>
        )}
      </Figure>
      <DeadUnits layers={result.layers} />
    </Stack>
  );
}

function show(value: number | string): string {
  return typeof value === "number" ? value.toPrecision(3) : value;
}
