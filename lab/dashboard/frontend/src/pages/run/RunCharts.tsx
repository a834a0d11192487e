import { Text } from "@mantine/core";
import { useMemo } from "react";
import { useNavigate } from "react-router";
import { useReadings, type Readings } from "@/api/readings";
import { counted, useVocabularySize } from "@/api/vocabulary";
import { Curve, type Level, type Mark, type Series, type Tick } from "@/components/curve";
import { AxisControls, useAxes, type Axes } from "@/components/run/AxisControls";
import { Computed } from "@/components/figures/Computed";
import { along, formatOf, labelOf, placeOf, type Clock } from "@/components/run/axes";
import { totalOf, type RunRecord } from "@/live/record";
import { useVersion } from "@/live/hooks";
import { Seen } from "@/pages/questions/Seen";
import { factsOf } from "@/pages/questions/training";
import { alertSince, alertText, alertTitle } from "./Alerts";
import { useAlerts } from "./useAlerts";
import classes from "./RunCharts.module.css";

/** A place on the axis that leads to a checkpoint. */
export interface Saved {
  id: string;
  name: string;
  step: number;
}

interface Props {
  run: string;
  record: RunRecord;
  clock: Clock;
  checkpoints: Saved[];
}

/** The curves of a run, moving while it trains. */
export function RunCharts({ run, record, clock, checkpoints }: Props) {
  useVersion(record);
  const axes = useAxes();
  const navigate = useNavigate();
  const vocabularySize = useVocabularySize(run);
  const { version } = record;
  const { data: readings } = useReadings(run, record.tracks.val_loss ? totalOf(record.tracks.val_loss) : 0);
  const levels = useMemo(
    () => ({ loss: levelsOf(readings, "loss"), bits: levelsOf(readings, "bits_per_byte") }),
    [readings],
  );
  const since = readings?.rises_since ?? null;

  const series = useMemo(
    () => ({
      loss: [
        line(record, "train_loss", "training", 0, axes, clock),
        line(record, "val_loss", "validation", 1, axes, clock, true),
      ],
      bits: [line(record, "val_bits_per_byte", "validation", 1, axes, clock, true)],
      rate: [line(record, "learning_rate", "learning rate", 2, axes, clock)],
      norm: [line(record, "grad_norm", "gradient norm", 3, axes, clock)],
      speed: [line(record, "tokens_per_second", "tokens/s", 4, axes, clock)],
    }),
    // `version` stands for what is inside the record.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [record, version, axes.x, clock],
  );
  const ticks = useMemo<Tick[]>(() => {
    const timeOf = timesOf(record);
    return checkpoints.map(({ id, name, step }) => ({
      x: placeOf(axes.x, step, timeOf(step), clock),
      label: `Checkpoint ${name}, step ${step}: look inside`,
      onClick: () => void navigate(`/inside?run=${encodeURIComponent(run)}&checkpoint=${encodeURIComponent(id)}`),
    }));
  }, [checkpoints, axes.x, clock, run, navigate, record]);
  const alarming = useAlerts(run, record);
  const alerts = useMemo<Mark[]>(
    () => {
      const timeOf = timesOf(record);
      return alarming
        .filter(({ what }) => what !== "overfitting") // marked below
        .map((alert) => ({
          x: placeOf(axes.x, alertSince(alert), timeOf(alertSince(alert)), clock),
          label: `${alertTitle(alert)}: ${alertText(alert)}`,
        }));
    },
    // They are a new list whenever there is a new one.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [alarming, axes.x, clock],
  );
  const turn = useMemo<Mark[]>(() => {
    if (since === null) return [];
    const words = `validation rises since step ${since.toLocaleString("en")}`;
    return [
      { x: placeOf(axes.x, since, timesOf(record, "val_loss")(since), clock), label: capital(words), word: words },
    ];
  }, [since, axes.x, clock, record]);
  const marks = useMemo(() => [...turn, ...alerts], [turn, alerts]);

  const facts = () => ({ ...factsOf(record.tracks), vocabularySize });
  const shared = {
    xLabel: labelOf(axes.x),
    formatX: formatOf(axes.x),
    logX: axes.logX,
    smoothing: axes.smoothing,
    sync: `run ${run}`,
  };
  return (
    <section aria-label="Curves" data-testid="run-charts" data-version={version}>
      <h2 className="visually-hidden">Curves</h2>
      <AxisControls />
      <div className={classes.grid}>
        <div className={classes.wide}>
          <Curve
            {...shared}
            title="Loss"
            hint={`How surprised the model is by the next token, in nats: ln ${counted(vocabularySize)} = ${vocabularySize ? Math.log(vocabularySize).toFixed(1) : "…"} is pure guessing, lower is better. Below “counting single tokens” it has learnt something about order.`}
            series={series.loss}
            levels={levels.loss}
            yLabel="nats per token"
            logY={axes.logY}
            height={340}
            ticks={ticks}
            marks={marks}
          />
          {since !== null && (
            <Text size="sm" mt="xs" data-testid="turn">
              <Computed of="run.turn">Validation rises since step {since.toLocaleString("en")}.</Computed> The model
              begins to learn its training text by heart: its best weights were those of that step.
            </Text>
          )}
          <Seen place="loss" facts={facts} />
        </div>
        <div>
          <Curve
            {...shared}
            title="Bits per byte"
            hint="The validation loss for each byte of text: comparable between tokenizers."
            series={series.bits}
            levels={levels.bits}
            marks={turn.map(({ x, label }) => ({ x, label }))}
            logY={axes.logY}
            height={200}
            small
          />
          <Seen place="bits" facts={facts} />
        </div>
        <div>
          <Curve
            {...shared}
            title="Learning rate"
            hint="How large a step the optimizer takes."
            series={series.rate}
            logY={axes.logY}
            smoothing={0}
            height={200}
            small
          />
          <Seen place="rate" facts={facts} />
        </div>
        <div>
          <Curve
            {...shared}
            title="Gradient norm"
            hint="Look here first when a run misbehaves."
            series={series.norm}
            logY={axes.logY}
            height={200}
            small
          />
          <Seen place="norm" facts={facts} />
        </div>
        <div>
          <Curve
            {...shared}
            title="Tokens per second"
            hint="Evaluations and pauses not counted."
            series={series.speed}
            height={200}
            small
          />
          <Seen place="speed" facts={facts} />
        </div>
      </div>
    </section>
  );
}

function line(
  record: RunRecord,
  tag: string,
  label: string,
  style: number,
  axes: Axes,
  clock: Clock,
  sparse = false,
): Series {
  const track = record.tracks[tag] ?? { steps: [], times: [], values: [] };
  // A copy: the record goes on growing, and a curve must not change between two drawings.
  return {
    id: tag,
    label,
    style,
    sparse,
    total: totalOf(track),
    x: [...along(axes.x, track, clock)],
    y: [...track.values],
  };
}

/** The levels that the server knows, in one of the two units. */
function levelsOf(readings: Readings | undefined, unit: "loss" | "bits_per_byte"): Level[] {
  return (readings?.levels ?? []).flatMap((level) => {
    const y = level[unit];
    return typeof y === "number" ? [{ y, label: level.label, meaning: level.meaning, style: STYLES[level.name] }] : [];
  });
}

const STYLES = { guessing: 5, single_tokens: 3, best_possible: 6 };

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** When a step was done, from the points of a curve around it. */
function timesOf(record: RunRecord, name = "train_loss"): (step: number) => number {
  const track = record.tracks[name] ?? { steps: [], times: [] };
  return (step) => {
    const at = track.steps.findIndex((one) => one >= step);
    return track.times[at < 0 ? track.times.length - 1 : at] ?? 0;
  };
}
