import { NumberInput, Stack, Switch, Text } from "@mantine/core";
import type { Options } from "@/components/run/options";
import { bytes } from "@/components/words";
import type { Draft } from "./draft";

interface Props {
  draft: Draft;
  /** What the options are when none is typed: the defaults, or those of the run before. */
  before: Options;
  /** What they come to. */
  options: Options;
  /** Of one checkpoint; null while that is not known. */
  checkpointBytes: number | null;
}

/** Keep checkpoints or not, and what that will take of the disk. */
export function SaveSwitch({ draft, before, options, checkpointBytes }: Props) {
  const wasOn = before.save === true;
  const on = draft.choices.save === undefined ? wasOn : draft.choices.save === "true";
  const every = numberAt(draft.choices.save_every ?? options.save_every);
  const kept = numberAt(draft.choices.keep ?? options.keep) ?? 3;
  const count = 2 + (every === null ? 0 : kept);
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
            ...(checked ? {} : { save_every: null, keep: null }),
          })
        }
        data-testid="save-switch"
      />
      {on && (
        <>
          <Text size="sm" data-testid="save-cost">
            {checkpointBytes === null
              ? "best.ckpt and last.ckpt will be kept."
              : `${count} checkpoints of ${bytes(checkpointBytes)} each at most: up to ${bytes(checkpointBytes * count)} on disk.`}
          </Text>
          <div style={{ display: "flex", gap: 12, flexWrap: "wrap" }}>
            <NumberInput
              label="Also every so many steps"
              description="To scrub through the training later"
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
