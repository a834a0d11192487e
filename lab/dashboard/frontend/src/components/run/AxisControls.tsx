import { Checkbox, Group, SegmentedControl, Slider, Text } from "@mantine/core";
import { choiceParam, flagParam, numberParam, useParam } from "@/address/useParam";
import { X_AXES, type XAxis } from "./axes";

const axis = choiceParam(X_AXES, "steps");
const flag = flagParam();
const smoothness = numberParam(0.6);

export interface Axes {
  x: XAxis;
  logX: boolean;
  logY: boolean;
  smoothing: number;
}

/** How curves are drawn; it lives in the address. */
export function useAxes(): Axes {
  const [x] = useParam("x", axis);
  const [logX] = useParam("logx", flag);
  const [logY] = useParam("logy", flag);
  const [smoothing] = useParam("smooth", smoothness);
  return { x, logX, logY, smoothing: Math.min(0.99, Math.max(0, smoothing)) };
}

/** The switches for it. */
export function AxisControls() {
  const [x, setX] = useParam("x", axis);
  return (
    <Group gap="md" role="group" aria-label="How the curves are drawn">
      <SegmentedControl
        size="xs"
        aria-label="Horizontal axis"
        tt="capitalize"
        data={X_AXES.map((value) => ({ value, label: value }))}
        value={x}
        onChange={(value) => setX(axis.read(value))}
      />
      <ScaleControls />
    </Group>
  );
}

/** Those of them that go for any horizontal axis. */
export function ScaleControls() {
  const [logX, setLogX] = useParam("logx", flag);
  const [logY, setLogY] = useParam("logy", flag);
  const [smoothing, setSmoothing] = useParam("smooth", smoothness);
  return (
    <>
      <Checkbox size="sm" label="log x" checked={logX} onChange={(event) => setLogX(event.currentTarget.checked)} />
      <Checkbox size="sm" label="log y" checked={logY} onChange={(event) => setLogY(event.currentTarget.checked)} />
      <Group gap="xs" wrap="nowrap">
        <Text size="sm" id="smoothing-label">
          smoothing
        </Text>
        <Slider
          w={110}
          size="sm"
          min={0}
          max={0.98}
          step={0.02}
          label={(value) => value.toFixed(2)}
          value={smoothing}
          onChange={setSmoothing}
          thumbLabel="Smoothing"
        />
      </Group>
    </>
  );
}
