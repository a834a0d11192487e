import { Group, Select, Text } from "@mantine/core";
import { memo, useMemo } from "react";
import { choiceParam, flagParam, textParam, useParam } from "@/address/useParam";
import { Computed } from "@/components/figures/Computed";
import { Curve, type Series } from "@/components/curve";
import { ScaleControls, useAxes } from "@/components/run/AxisControls";
import { useRecords, useVersions } from "@/live/hooks";
import type { RunRecord } from "@/live/record";
import { Seen } from "@/pages/questions/Seen";
import { smooth } from "@/series/points";
import { along, COST_NAMES, COSTS, formatOf, type Cost } from "./costs";
import type { Line } from "./lines";
import { BAND_NAMES, BANDS, together, type BandKind } from "./seeds";

const metrics = textParam("val_loss");
const costs = choiceParam(COSTS, "steps");
const apart = flagParam();
const bands = choiceParam(BANDS, "range");

const METRIC_NAMES: Record<string, string> = {
  val_loss: "validation loss, nats a token",
  val_bits_per_byte: "validation, bits per byte",
  train_loss: "training loss, nats a token",
};

interface Drawn {
  series: Series[];
  /** Lines of runs that do not say what they have spent. */
  silent: string[];
}

/** One metric of all the runs, over each other. `seeds`: whether some of them differ in nothing but the seed. */
export const Overlay = memo(function Overlay({ lines, seeds }: { lines: Line[]; seeds: boolean }) {
  const records = useRecords(lines.flatMap(({ runs }) => runs));
  const version = useVersions(records);
  const axes = useAxes();
  const [cost, setCost] = useParam("x", costs);
  const [tag, setTag] = useParam("metric", metrics);
  const [single, setSingle] = useParam("apart", apart);
  const [band, setBand] = useParam("band", bands);
  const others = [...new Set(records.flatMap((record) => Object.keys(record.tracks)))].sort();
  const tags = [...new Set([...Object.keys(METRIC_NAMES), ...others])];
  const { series, silent } = useMemo(
    () => draw(lines, records, { tag, cost, band, smoothing: axes.smoothing }),
    // `version` stands for what is inside the records.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [lines, version, tag, cost, band, axes.smoothing],
  );
  const means = lines.some(({ runs }) => runs.length > 1);
  return (
    <section aria-labelledby="overlay">
      <h2 id="overlay" className="visually-hidden">
        Curves
      </h2>
      <Group gap="md" align="flex-end" mb="sm" role="group" aria-label="How the curves are drawn">
        <Select
          size="xs"
          label="Up"
          data={tags.map((value) => ({ value, label: METRIC_NAMES[value] ?? value }))}
          value={tag}
          onChange={(value) => setTag(value ?? "val_loss")}
          allowDeselect={false}
          w={220}
        />
        <Select
          size="xs"
          label="Across"
          data={COSTS.map((value) => ({ value, label: COST_NAMES[value] }))}
          value={cost}
          onChange={(value) => setCost(costs.read(value))}
          allowDeselect={false}
          w={170}
        />
        {seeds && (
          <Select
            size="xs"
            label="Seeds"
            data={[
              ...BANDS.map((value) => ({ value, label: `mean, band: ${BAND_NAMES[value]}` })),
              { value: "apart", label: "each run by itself" },
            ]}
            value={single ? "apart" : band}
            onChange={(value) => {
              setSingle(value === "apart");
              if (value !== "apart") setBand(bands.read(value));
            }}
            allowDeselect={false}
            w={250}
          />
        )}
        <ScaleControls />
      </Group>
      <Curve
        title="Curves"
        hint={
          <>
            The same colour and dashes mean the same line on this whole page.
            {means && (
              <>
                {" "}
                Runs that differ in nothing but the seed are one line: their <Computed of="compare.mean" />, as far as
                all of them are; the band is {BAND_NAMES[band]}.
              </>
            )}
          </>
        }
        series={series}
        xLabel={COST_NAMES[cost]}
        yLabel={METRIC_NAMES[tag] ?? tag}
        formatX={formatOf(cost)}
        logX={axes.logX}
        logY={axes.logY}
        // A mean is made of smooth curves, if that is wanted, so that its band is smooth, too.
        smoothing={means ? 0 : axes.smoothing}
        height={380}
      />
      <Seen place="curves" />
      {silent.length > 0 && (
        <Text size="sm" c="dimmed" mt="xs" data-testid="silent">
          Left out, as they do not say their {COST_NAMES[cost]} (runs of an older version, or none evaluated yet):{" "}
          {silent.join("; ")}.
        </Text>
      )}
    </section>
  );
});

interface Wish {
  tag: string;
  cost: Cost;
  band: BandKind;
  smoothing: number;
}

function draw(lines: Line[], records: RunRecord[], { tag, cost, band, smoothing }: Wish): Drawn {
  const byRun = new Map(records.map((record) => [record.run, record]));
  const drawn: Drawn = { series: [], silent: [] };
  const sparse = tag.startsWith("val_");
  const means = lines.some(({ runs }) => runs.length > 1);
  for (const { id, label, style, runs } of lines) {
    const found = runs.map((run) => along(cost, tag, byRun.get(run)?.tracks ?? {}));
    const curves = found.filter((points) => points !== null).filter(({ x }) => x.length > 0);
    if (found.includes(null)) drawn.silent.push(label);
    if (found.includes(null) && curves.length === 0) continue;
    const shown = means && !sparse ? curves.map(({ x, y }) => ({ x, y: smooth(y, smoothing) })) : curves;
    const points = runs.length > 1 && shown.length > 1 ? together(shown, band) : (shown[0] ?? { x: [], y: [] });
    drawn.series.push({ id, label, style, sparse, ...points });
  }
  return drawn;
}
