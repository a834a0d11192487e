import { useCallback, useMemo } from "react";
import { numberParam, useParam } from "@/address/useParam";
import { useInspect, type ViewOf } from "@/api/models";
import type { Chosen } from "@/components/model/useChosen";
import { AttentionView } from "./AttentionView";
import { Framed } from "./Framed";
import { habits } from "./heads";
import { useFrames } from "./useFrames";

const zero = numberParam(0);
/** Numbers in one answer; the server has a limit like this, too. */
const MOST = 1_400_000;
const FRAMES = 24;

interface Props {
  chosen: Chosen;
  prompt: string;
}

export function AttentionTab({ chosen, prompt }: Props) {
  const [wantedLayer, setLayer] = useParam("layer", zero);
  const [wantedHead, setHead] = useParam("head", zero);
  // One small map first: with it one knows how large all of them are.
  const anyone = chosen.checkpoints[0]?.id ?? "";
  const { data: sizes, error } = useInspect("attention", { checkpoint: anyone, prompt, layer: 0, head: 0 });
  const layer = Math.min(wantedLayer, (sizes?.n_layers ?? 1) - 1);
  const head = Math.min(wantedHead, (sizes?.n_heads ?? 1) - 1);
  const numbers = sizes ? sizes.n_layers * sizes.n_heads * sizes.tokens.length ** 2 : 0;
  const frames = Math.min(FRAMES, chosen.checkpoints.length);
  const only = useMemo(() => (numbers * frames > MOST ? { layer, head } : null), [numbers, frames, layer, head]);
  const scope = numbers > MOST ? { layer, head: null } : undefined;
  const found = useFrames("attention", { chosen, prompt, only, scope, enabled: sizes !== undefined });
  const choose = (nextLayer: number, nextHead: number) => {
    setLayer(nextLayer);
    setHead(nextHead);
  };
  const mapOf = useCallback(
    (result: ViewOf<"attention"> | undefined) =>
      result?.heads.find((one) => one.layer === layer && one.head === head)?.weights,
    [layer, head],
  );
  const measure = useMemo(
    () => ({
      name: `how many tokens layer ${layer}, head ${head} looks at`,
      of: (result: ViewOf<"attention">) => {
        const weights = mapOf(result);
        return weights ? habits(weights).spread : null;
      },
    }),
    [layer, head, mapOf],
  );
  const whole = error && !sizes ? { ...found, error } : found;
  return (
    <Framed found={whole} chosen={chosen} measure={measure}>
      {(result, all) => {
        const weights = mapOf(all[found.at]?.result) ?? mapOf(result);
        return (
          weights && <AttentionView result={result} weights={weights} layer={layer} head={head} onChoose={choose} />
        );
      }}
    </Framed>
  );
}
