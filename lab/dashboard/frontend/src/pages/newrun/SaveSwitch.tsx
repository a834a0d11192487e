import { NumberInput, Stack, Switch, Text } from "@mantine/core";
import type { Resolved } from "@/api/types";
import type { Options } from "@/components/run/options";
import { bytes } from "@/components/words";
import type { Draft } from "./draft";

type Sizes = NonNullable<Resolved["sizes"]>;

interface Props {
  draft: Draft;
  /** What the options are when none is typed: the defaults, or those of the run before. */
  before: Options;
  /** What they come to. */
  options: Options;
  /** What checkpoints take; null while that is not known. */
  sizes: Sizes | null;
}

function cost({ checkpoints, checkpoint_bytes, snapshots, snapshot_bytes }: Sizes): string {
  const total = checkpoints * checkpoint_bytes + snapshots * snapshot_bytes;
  const moments = snapshots === 1 ? "the untrained weights" : `the weights of ${snapshots} moments`;
  const alone = snapshots === 0 ? "" : `, and ${moments} to look back at, ${bytes(snapshot_bytes)} each`;
  return `${checkpoints} checkpoints of ${bytes(checkpoint_bytes)} each${alone}: up to ${bytes(total)} on disk.`;
}

/** Keep checkpoints or not, and what that will take of the disk. */
export function SaveSwitch({ draft, before, options, sizes }: Props) {
  const wasOn = before.save === true;
  const on = draft.choices.save === undefined ? wasOn : draft.choices.save === "true";
  const every = numberAt(draft.choices.save_every ?? options.save_every);
  const kept = numberAt(draft.choices.keep ?? options.keep) ?? 3;
  const set = (name: "save_every" | "keep", value: string | number) => {
    const text = value === "" ? (name === "keep" ? null : "null") : String(value);
    draft.choose(name, text === String(before[name] ?? null) ? null : text);
  };
  return (
    <Stack gap="xs">
      <Switch
        label="Keep checkpoints"
        description="To continue the run, to talk to the model and to look inside. Without, its weights are gone when it ends; only the curves stay."
        checked={on}
        onChange={({ currentTarget: { checked } }) =>
          draft.chooseAll({
            save: checked === wasOn ? null : String(checked),
            // Nothing says how often where nothing is kept.
            ...(checked ? {} : { save_every: null, keep: null, snapshots: null }),
          })
        }
        data-testid="save-switch"
      />
      {on && (
        <>
          <Text size="sm" data-testid="save-cost">
            {sizes === null ? "best.ckpt and last.ckpt will be kept." : cost(sizes)}
          </Text>
          <div style={{ display: "flex", gap: 12, flexWrap: "wrap" }}>
            <NumberInput
              label="Also every so many steps"
              description="Whole ones, to go on from later"
              placeholder="never"
              min={1}
              value={every ?? ""}
              onChange={(value) => set("save_every", value)}
              w={230}
              data-testid="save-every"
            />
            <NumberInput
              label="How many of those stay"
              description="The oldest goes first"
              min={1}
              value={kept}
              onChange={(value) => set("keep", value)}
              w={210}
            />
          </div>
        </>
      )}
    </Stack>
  );
}

function numberAt(value: unknown): number | null {
  const found = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof found === "number" && Number.isFinite(found) ? found : null;
}
