import { Text } from "@mantine/core";
import { useMemo } from "react";
import { useSearch } from "@/address/useSearch";
import type { ViewOf } from "@/api/models";
import { Computed } from "@/components/figures/Computed";
import { Heatmap } from "@/components/Heatmap";
import type { Chosen } from "@/components/model/useChosen";
import { Framed } from "./Framed";
import { drawable, even, range, useFrames } from "./useFrames";
import { WithoutHead } from "./WithoutHead";

const measure = {
  name: "what the head that matters most is worth, in nats",
  of: ({ loss_changes }: ViewOf<"ablate">) => (loss_changes.length > 0 ? range(loss_changes.flat())[1] : null),
};

export function AblationTab({ chosen, prompt }: { chosen: Chosen; prompt: string }) {
  const found = useFrames("ablate", { chosen, prompt });
  return (
    <Framed found={found} chosen={chosen} measure={measure}>
      {(result, frames) => (
        <Ablation
          result={result}
          all={frames.length > 0 ? frames.map((frame) => frame.result) : [result]}
          checkpoint={chosen.checkpoint?.id ?? ""}
          prompt={prompt}
        />
      )}
    </Framed>
  );
}

interface Props {
  result: ViewOf<"ablate">;
  all: ViewOf<"ablate">[];
  checkpoint: string;
  prompt: string;
}

function Ablation({ result, all, checkpoint, prompt }: Props) {
  const [, setParams] = useSearch();
  const values = useMemo(() => result.loss_changes.map((row) => row.map(drawable)), [result]);
  const domain = useMemo(() => even(range(all.flatMap((one) => one.loss_changes.flat()))), [all]);
  const rows = useMemo(() => values.map((_, layer) => `layer ${layer}`), [values]);
  const columns = useMemo(() => (values[0] ?? []).map((_, head) => `head ${head}`), [values]);
  const [worst, layer, head] = values.reduce<[number, number, number]>(
    (best, row, at) =>
      row.reduce<[number, number, number]>(
        (found, value, column) => (value !== null && value > found[0] ? [value, at, column] : found),
        best,
      ),
    [-Infinity, 0, 0],
  );
  const signed = (value: number) => `${value > 0 ? "+" : ""}${value.toFixed(4)}`;
  return (
    <>
      <Heatmap
        title="What each head is worth"
        hint="Each head is switched off once, and the loss on this prompt measured again. Orange: the model gets worse, so the head was of use. Blue: it gets better without. White: it makes no difference here."
        values={values}
        rowLabels={rows}
        columnLabels={columns}
        rowName="in"
        columnName="without"
        scale="diverging"
        domain={domain}
        cellSize={44}
        format={signed}
        summary={
          Number.isFinite(worst)
            ? `Without layer ${layer}, head ${head} the loss changes most: by ${signed(worst)} nats a token.`
            : "There is nothing to lose: the prompt has one token."
        }
        onSelect={(cell) =>
          setParams(
            (params) => {
              params.delete("tab");
              params.set("layer", String(cell.row));
              params.set("head", String(cell.column));
            },
            { push: true },
          )
        }
      />
      <Text size="sm" c="dimmed" component="div">
        <Computed of="inside.head_worth">In nats a token</Computed>. Choose a head to see where it looks.
      </Text>
      <WithoutHead
        checkpoint={checkpoint}
        prompt={prompt}
        nLayers={values.length}
        nHeads={values[0]?.length ?? 0}
        worst={{ layer, head }}
      />
    </>
  );
}
