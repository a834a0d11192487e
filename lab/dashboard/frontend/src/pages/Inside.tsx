import { Stack, Tabs } from "@mantine/core";
import type { ComponentType } from "react";
import { choiceParam, textParam, useParam, useTab } from "@/address/useParam";
import { useVocabularySize } from "@/api/vocabulary";
import { AblationTab } from "@/pages/inside/AblationTab";
import { ActivationsTab } from "@/pages/inside/ActivationsTab";
import { AttentionTab } from "@/pages/inside/AttentionTab";
import { LensTab } from "@/pages/inside/LensTab";
import { LossTab } from "@/pages/inside/LossTab";
import { MapTab } from "@/pages/inside/MapTab";
import { NeighborsTab } from "@/pages/inside/NeighborsTab";
import { CheckpointPicker } from "@/components/model/CheckpointPicker";
import { OnceChosen } from "@/components/model/OnceChosen";
import { Prompt } from "@/components/model/Prompt";
import { useChosen, type Chosen } from "@/components/model/useChosen";
import { PageHead } from "@/components/PageHead";
import { Seen } from "@/pages/questions/Seen";

const PROMPT = "The fox went to the mill. The miller saw the fox, and the fox saw the miller.";

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
  const [tab, setTab] = useTab("tab", tabs);
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
        <OnceChosen chosen={chosen}>
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
                  <SeenInside tab={name} run={chosen.run} />
                </Tabs.Panel>
              );
            })}
          </Tabs>
        </OnceChosen>
      </Stack>
    </>
  );
}

/** What was to be seen in a tab. */
function SeenInside({ tab, run }: { tab: Tab; run: string }) {
  const vocabularySize = useVocabularySize(run);
  return <Seen place={tab === "loss" ? "token-loss" : tab} facts={() => ({ vocabularySize })} />;
}
