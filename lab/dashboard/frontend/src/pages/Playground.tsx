import { Button, Collapse, Group, Loader, Paper, SimpleGrid, Stack, Textarea } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconPlayerPlay, IconPlayerStop } from "@tabler/icons-react";
import { useEffect, useRef, type KeyboardEvent } from "react";
import { flagParam, useParam } from "@/address/useParam";
import { ErrorNote } from "@/components/ErrorNote";
import { CheckpointPicker } from "@/components/model/CheckpointPicker";
import { NoCheckpoints } from "@/components/model/NoCheckpoints";
import { useChosen, type Chosen } from "@/components/model/useChosen";
import { Controls } from "@/pages/playground/Controls";
import classes from "@/pages/playground/Playground.module.css";
import { useSettings } from "@/pages/playground/settings";
import { useWriter } from "@/pages/playground/useWriter";
import { WriterPanel } from "@/pages/playground/WriterPanel";
import { PageHead } from "@/components/PageHead";

const flag = flagParam();
const WAIT = 350; // ms after a slider's last move

export default function Playground() {
  const one = useChosen();
  const [two, setTwo] = useParam("second", flag);
  const other = useChosen("2", !two, "first");
  return (
    <>
      <PageHead
        title="Playground"
        lead="Let a checkpoint write. Each token is shaded by the probability the model gave it, and each can be replaced by another one."
      />
      <Stack gap="md">
        <Group align="flex-end" gap="md">
          <CheckpointPicker chosen={one} />
          <Button variant="default" aria-expanded={two} onClick={() => setTwo(!two)}>
            {two ? "Only one checkpoint" : "A second one beside it"}
          </Button>
        </Group>
        <Collapse expanded={two}>
          <CheckpointPicker chosen={other} prefix="Second" />
        </Collapse>
        {!one.ready ? (
          <Loader aria-label="Loading the checkpoints" />
        ) : one.error ? (
          <ErrorNote error={one.error} />
        ) : one.run === "" ? (
          <NoCheckpoints />
        ) : (
          <Desk one={one} other={two ? other : null} />
        )}
      </Stack>
    </>
  );
}

function Desk({ one, other }: { one: Chosen; other: Chosen | null }) {
  const settings = useSettings();
  const first = one.checkpoint?.id;
  const second = other?.checkpoint?.id;
  const left = useWriter("first", first);
  const right = useWriter("second", second);
  const writing = left.writing || right.writing;

  const write = () => {
    if (first) left.start({ ...settings.order, checkpoint: first });
    if (second) right.start({ ...settings.order, checkpoint: second });
  };
  const again = useDebouncedCallback(write, WAIT);

  // A slider that moves writes the text again, unless somebody has made branches, which would be lost.
  const { temperature, topK, topP, seed, maxTokens, live } = settings;
  const present = JSON.stringify([temperature, topK, topP, seed, maxTokens, first, second]);
  const loaded = first !== undefined && (other === null || second !== undefined);
  const before = useRef<string | null>(null);
  const untouched = left.branches === 1 && right.branches <= 1;
  useEffect(() => {
    if (!loaded || before.current === present) return;
    const opening = before.current === null;
    before.current = present;
    if (!opening && live && untouched) again();
  }, [present, loaded, live, untouched, again]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    write();
  };

  return (
    <div className={classes.desk}>
      <Stack gap="md" style={{ minWidth: 0 }}>
        <Textarea
          label="Prompt"
          description="The text to go on with. Control + Enter writes."
          autosize
          minRows={2}
          maxRows={10}
          value={settings.prompt}
          onChange={(event) => settings.setPrompt(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <Group gap="sm">
          <Button onClick={write} disabled={!first} leftSection={<IconPlayerPlay size={16} aria-hidden />}>
            Write
          </Button>
          <Button
            variant="default"
            onClick={() => {
              left.stop();
              right.stop();
            }}
            disabled={!writing}
            leftSection={<IconPlayerStop size={16} aria-hidden />}
          >
            Stop
          </Button>
        </Group>
        <SimpleGrid cols={{ base: 1, lg: other ? 2 : 1 }}>
          {first && (
            <WriterPanel
              title={titleOf(one)}
              writer={left}
              order={{ ...settings.order, checkpoint: first }}
              shape={settings.shape}
            />
          )}
          {other && second && (
            <WriterPanel
              title={titleOf(other)}
              writer={right}
              order={{ ...settings.order, checkpoint: second }}
              shape={settings.shape}
            />
          )}
        </SimpleGrid>
      </Stack>
      <Paper withBorder p="md" component="section" aria-label="How to draw">
        <Controls settings={settings} />
      </Paper>
    </div>
  );
}

function titleOf({ checkpoint, summary, run }: Chosen): string {
  const name = summary?.name ?? run;
  return checkpoint?.step == null
    ? `${name}, ${checkpoint?.name ?? ""}`
    : `${name} at step ${checkpoint.step.toLocaleString("en")}`;
}
