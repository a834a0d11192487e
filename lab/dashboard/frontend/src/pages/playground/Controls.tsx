import { ActionIcon, Group, NumberInput, Slider, Stack, Switch, Text, Tooltip } from "@mantine/core";
import { IconDice5 } from "@tabler/icons-react";
import { useId } from "react";
import type { Settings } from "./settings";

/** How to draw: the sliders, and what each of them does. */
export function Controls({ settings }: { settings: Settings }) {
  const { temperature, topK, topP, seed, maxTokens, live } = settings;
  return (
    <Stack gap="md">
      <Dial
        name="Temperature"
        shown={temperature === 0 ? "0: always the likeliest" : temperature.toFixed(2)}
        hint="Below 1 the likely tokens become likelier still; above, the rare ones get their chance."
        value={temperature}
        max={2}
        step={0.05}
        onChange={settings.setTemperature}
      />
      <Dial
        name="Top-k"
        shown={topK === 0 ? "off" : `the ${topK} likeliest`}
        hint="Only so many candidates stay. 0: all of them."
        value={topK}
        max={100}
        step={1}
        onChange={settings.setTopK}
      />
      <Dial
        name="Top-p"
        shown={topP >= 1 ? "off" : topP.toFixed(2)}
        hint="The fewest candidates that have this probability together: few where the model is sure, many where it is not."
        value={topP}
        min={0.05}
        max={1}
        step={0.05}
        onChange={settings.setTopP}
      />
      <Group gap="sm" align="flex-end" wrap="nowrap">
        <NumberInput
          label="Seed"
          value={seed}
          min={0}
          max={2 ** 32 - 1}
          allowDecimal={false}
          clampBehavior="strict"
          onChange={(value) => typeof value === "number" && settings.setSeed(value)}
          style={{ flex: 1 }}
        />
        <Tooltip label="Another seed">
          <ActionIcon
            variant="default"
            size={36}
            aria-label="Another seed"
            onClick={() => settings.setSeed(Math.floor(Math.random() * 100_000))}
          >
            <IconDice5 size={18} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <NumberInput
          label="Most tokens"
          value={maxTokens}
          min={1}
          max={2000}
          allowDecimal={false}
          clampBehavior="strict"
          onChange={(value) => typeof value === "number" && settings.setMaxTokens(value)}
          style={{ flex: 1 }}
        />
      </Group>
      <Switch
        label="Write again when a setting changes"
        description="With the same seed, so that the difference is the setting's."
        checked={live}
        onChange={(event) => settings.setLive(event.currentTarget.checked)}
      />
    </Stack>
  );
}

interface DialProps {
  name: string;
  shown: string;
  hint: string;
  value: number;
  min?: number;
  max: number;
  step: number;
  onChange: (value: number) => void;
}

function Dial({ name, shown, hint, value, min = 0, max, step, onChange }: DialProps) {
  const id = useId();
  return (
    <div>
      <Group justify="space-between" gap="xs">
        <Text size="sm" fw={500} id={id}>
          {name}
        </Text>
        <Text size="sm" ff="monospace">
          {shown}
        </Text>
      </Group>
      <Slider
        value={value}
        min={min}
        max={max}
        step={step}
        onChange={(next) => onChange(Number(next.toFixed(2)))}
        label={null}
        thumbLabel={name}
        thumbValueText={shown}
        my={4}
      />
      <Text size="xs" c="dimmed">
        {hint}
      </Text>
    </div>
  );
}
