import { NumberInput, Stack, Switch, Text } from "@mantine/core";
import type { Resolved } from "@/api/types";
import { flat } from "@/components/run/options";
import { bytes } from "@/components/words";

type Sizes = NonNullable<Resolved["sizes"]>;

interface Props {
  resolved: Resolved | undefined;
  on: boolean;
  saveEvery: string | null;
  keep: string | null;
  onChange: (name: "save" | "save_every" | "keep", value: string | null) => void;
}

function cost({ checkpoints, checkpoint_bytes, snapshots, snapshot_bytes }: Sizes): string {
  const total = checkpoints * checkpoint_bytes + snapshots * snapshot_bytes;
  const moments = snapshots === 1 ? "the untrained weights" : `the weights of ${snapshots} moments`;
  const alone = snapshots === 0 ? "" : `, and ${moments} to look back at, ${bytes(snapshot_bytes)} each`;
  return `${checkpoints} checkpoints of ${bytes(checkpoint_bytes)} each${alone}: up to ${bytes(total)} on disk.`;
}

/** Keep checkpoints or not, and what that will take of the disk. */
export function SaveSwitch({ resolved, on, saveEvery, keep, onChange }: Props) {
  const options = flat(resolved?.config);
  const sizes = resolved?.sizes ?? null;
  return (
    <Stack gap="xs">
      <Switch
        label="Keep checkpoints"
        description="To continue the run, to talk to the model and to look inside. Without, its weights are gone when it ends; only the curves stay."
        checked={on}
        onChange={(event) => onChange("save", event.currentTarget.checked ? "true" : null)}
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
              description="To scrub through the training later"
              placeholder="never"
              min={1}
              value={saveEvery ?? ""}
              onChange={(value) => onChange("save_every", value === "" ? null : String(value))}
              w={230}
            />
            <NumberInput
              label="How many of those stay"
              description="The oldest goes first"
              min={1}
              placeholder={String(options.keep ?? 3)}
              value={keep ?? ""}
              onChange={(value) => onChange("keep", value === "" ? null : String(value))}
              w={210}
            />
          </div>
        </>
      )}
    </Stack>
  );
}
