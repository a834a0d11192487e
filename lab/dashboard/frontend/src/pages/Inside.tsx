import { Loader, Stack, Tabs, Textarea } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useState, type ComponentType } from "react";
import { choiceParam, textParam, useParam } from "@/address/useParam";
import { ErrorNote } from "@/components/ErrorNote";
import { AblationTab } from "@/pages/inside/AblationTab";
import { ActivationsTab } from "@/pages/inside/ActivationsTab";
import { AttentionTab } from "@/pages/inside/AttentionTab";
import { LensTab } from "@/pages/inside/LensTab";
import { LossTab } from "@/pages/inside/LossTab";
import { MapTab } from "@/pages/inside/MapTab";
import { NeighborsTab } from "@/pages/inside/NeighborsTab";
import { CheckpointPicker } from "@/components/model/CheckpointPicker";
import { NoCheckpoints } from "@/components/model/NoCheckpoints";
import { useChosen, type Chosen } from "@/components/model/useChosen";
import { PageHead } from "@/components/PageHead";

const PROMPT = "The fox went to the mill. The miller saw the fox, and the fox saw the miller.";
const WAIT = 500; // ms after the last key

const TABS = ["attention", "activations", "lens", "loss", "neighbours", "map", "ablation"] as const;
type Tab = (typeof TABS)[number];
const PANELS: Record<Tab, { name: string; Panel: ComponentType<{ chosen: Chosen; prompt: string }> }> = {
  attention: { name: "Attention", Panel: AttentionTab },
  activations: { name: "Activations", Panel: ActivationsTab },
  lens: { name: "Logit lens", Panel: LensTab },
  loss: { name: "Loss by token", Panel: LossTab },
  neighbours: { name: "Neighbours", Panel: NeighborsTab },
  map: { name: "Embedding map", Panel: MapTab },
  ablation: { name: "Heads switched off", Panel: AblationTab },
};

const tabs = choiceParam(TABS, "attention");
const prompts = textParam(PROMPT);

export default function Inside() {
  const chosen = useChosen();
  const [tab, setTab] = useParam("tab", tabs);
  const [prompt, setPrompt] = useParam("prompt", prompts);
  return (
    <>
      <PageHead
        title="Inside"
        lead="One prompt, and what goes on in the model while it reads it: now, and at every checkpoint on the way."
      />
      <Stack gap="md">
        <CheckpointPicker chosen={chosen} />
        <Prompt prompt={prompt} onChange={setPrompt} />
        {!chosen.ready ? (
          <Loader aria-label="Loading the checkpoints" />
        ) : chosen.error ? (
          <ErrorNote error={chosen.error} />
        ) : chosen.run === "" || chosen.checkpoints.length === 0 ? (
          <NoCheckpoints />
        ) : (
          <Tabs value={tab} onChange={(value) => setTab(tabs.read(value))} keepMounted={false}>
            <Tabs.List mb="md" aria-label="What to look at">
              {TABS.map((name) => (
                <Tabs.Tab key={name} value={name}>
                  {PANELS[name].name}
                </Tabs.Tab>
              ))}
            </Tabs.List>
            {TABS.map((name) => {
              const { Panel } = PANELS[name];
              return (
                <Tabs.Panel key={name} value={name}>
                  <h2 className="visually-hidden">{PANELS[name].name}</h2>
                  <Panel chosen={chosen} prompt={prompt} />
                </Tabs.Panel>
              );
            })}
          </Tabs>
        )}
      </Stack>
    </>
  );
}

/** The prompt as it is typed; the model is asked when the typing rests. */
function Prompt({ prompt, onChange }: { prompt: string; onChange: (prompt: string) => void }) {
  const [text, setText] = useState(prompt);
  const settle = useDebouncedCallback((next: string) => next !== "" && onChange(next), WAIT);
  return (
    <Textarea
      label="Prompt"
      autosize
      minRows={1}
      maxRows={8}
      value={text}
      error={text === "" ? "There has to be something to read: the views below are of the prompt before." : undefined}
      onChange={(event) => {
        setText(event.currentTarget.value);
        settle(event.currentTarget.value);
      }}
    />
  );
}
