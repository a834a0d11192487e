import { Button, Group, Slider, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { numberParam, useParam } from "@/address/useParam";
import { EmptyState } from "@/components/EmptyState";
import type { Note } from "@/live/record";
import classes from "./Samples.module.css";

const sampleStep = numberParam(null);
const SHOWN = 12;

/** How the model continued the same prompt at each evaluation: a slider through time, and the list. */
export function Samples({ notes, prompt }: { notes: Note[]; prompt: string }) {
  const [step, setStep] = useParam("sample", sampleStep);
  const [all, setAll] = useState(false);
  const samples = notes.filter(({ kind }) => kind === "sample");
  const newest = samples.at(-1);
  if (!newest)
    return (
      <EmptyState title="No samples yet">
        At each evaluation the model continues a prompt; the first one comes with the first evaluation.
      </EmptyState>
    );
  const chosen = step === null ? newest : (samples.findLast((sample) => sample.step <= step) ?? newest);
  const at = samples.indexOf(chosen);
  const list = [...samples].reverse();
  return (
    <Stack gap="md" data-testid="samples">
      <div>
        <Group justify="space-between" mb={4}>
          <Text fw={600}>After step {chosen.step.toLocaleString("en")}</Text>
          {step !== null && (
            <Button size="compact-sm" variant="default" onClick={() => setStep(null)}>
              Follow the newest
            </Button>
          )}
        </Group>
        {samples.length > 1 && (
          <Slider
            min={0}
            max={samples.length - 1}
            value={at}
            onChange={(index) => setStep(samples[index]?.step ?? null)}
            label={(index) => `step ${samples[index]?.step ?? 0}`}
            thumbLabel="Sample"
            mb="sm"
          />
        )}
        <SampleText sample={chosen} prompt={prompt} large />
      </div>
      <ol className={classes.list} aria-label="Samples, newest first">
        {(all ? list : list.slice(0, SHOWN)).map((sample) => (
          <li key={sample.seq} className={classes.item}>
            <button
              type="button"
              className={classes.step}
              onClick={() => setStep(sample.step)}
              aria-label={`Show the sample after step ${sample.step}`}
            >
              {sample.step.toLocaleString("en")}
            </button>
            <SampleText sample={sample} prompt={prompt} />
          </li>
        ))}
      </ol>
      {!all && samples.length > SHOWN && (
        <Button variant="default" size="sm" onClick={() => setAll(true)} style={{ alignSelf: "flex-start" }}>
          All {samples.length} samples
        </Button>
      )}
    </Stack>
  );
}

function SampleText({ sample, prompt, large = false }: { sample: Note; prompt: string; large?: boolean }) {
  const text = String(sample.text ?? "");
  const begins = text.startsWith(prompt);
  return (
    <div className={large ? classes.large : classes.text}>
      {begins && <strong>{prompt}</strong>}
      {begins ? text.slice(prompt.length) : text}
    </div>
  );
}
