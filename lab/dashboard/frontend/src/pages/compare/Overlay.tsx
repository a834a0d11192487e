import { Select } from "@mantine/core";
import { memo, useMemo } from "react";
import { textParam, useParam } from "@/address/useParam";
import { Curve, type Series } from "@/components/curve";
import { AxisControls, useAxes } from "@/components/run/AxisControls";
import { along, formatOf, labelOf } from "@/components/run/axes";
import { useRecords, useVersions } from "@/live/hooks";
import type { RunRecord } from "@/live/record";

const metric = textParam("val_loss");

/** What stays the same while a run goes on. */
export interface OverlaidRun {
  id: string;
  label: string;
  style: number;
}

/** One metric of all the runs, over each other. */
export const Overlay = memo(function Overlay({ lines }: { lines: OverlaidRun[] }) {
  const records = useRecords(lines.map(({ id }) => id));
  const version = useVersions(records);
  const axes = useAxes();
  const [tag, setTag] = useParam("metric", metric);
  const tags = [...new Set(["val_loss", "train_loss", ...records.flatMap((record) => Object.keys(record.tracks))])];
  const series = useMemo(
    () => lines.map((one, at) => line(one, records[at], tag, axes.x)),
    // `version` stands for what is inside the records.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [lines, version, tag, axes.x],
  );
  return (
    <section aria-labelledby="overlay">
      <h2 id="overlay" className="visually-hidden">
        Curves
      </h2>
      <Curve
        title="Curves"
        hint="The same colour and dashes mean the same run on this whole page."
        series={series}
        xLabel={labelOf(axes.x)}
        yLabel={tag}
        formatX={formatOf(axes.x)}
        logX={axes.logX}
        logY={axes.logY}
        smoothing={axes.smoothing}
        height={380}
        controls={
          <>
            <Select
              size="xs"
              aria-label="Metric"
              data={tags}
              value={tag}
              onChange={(value) => setTag(value ?? "val_loss")}
              allowDeselect={false}
              w={180}
            />
            <AxisControls />
          </>
        }
      />
    </section>
  );
});

function line(
  { id, label, style }: OverlaidRun,
  record: RunRecord | undefined,
  tag: string,
  axis: ReturnType<typeof useAxes>["x"],
): Series {
  const track = record?.tracks[tag] ?? { steps: [], times: [], values: [] };
  const clock = { tokensPerStep: record?.tokensPerStep ?? null, began: record?.began ?? null };
  return { id, label, style, sparse: tag.startsWith("val_"), x: [...along(axis, track, clock)], y: [...track.values] };
}
