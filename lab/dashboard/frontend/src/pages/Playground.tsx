import { Button, Collapse, Group, Loader, Paper, SimpleGrid, Stack, Text, Textarea } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconPlayerPlay, IconPlayerStop } from "@tabler/icons-react";
import { useEffect, useRef, type KeyboardEvent } from "react";
import { flagParam, useParam } from "@/address/useParam";
import { useGpt2 } from "@/api/gpt2";
import { ErrorNote } from "@/components/ErrorNote";
import { CheckpointPicker } from "@/components/model/CheckpointPicker";
import { NoCheckpoints } from "@/components/model/NoCheckpoints";
import { useChosen, type Chosen } from "@/components/model/useChosen";
import { momentTitle } from "@/components/run/naming";
import { Controls } from "@/pages/playground/Controls";
import { Gpt2Missing } from "@/pages/playground/Gpt2Missing";
import { NextToken } from "@/pages/playground/NextToken";
import classes from "@/pages/playground/Playground.module.css";
import { useSettings } from "@/pages/playground/settings";
import { useWriter } from "@/pages/playground/useWriter";
import { WriterPanel } from "@/pages/playground/WriterPanel";
import { PageHead } from "@/components/PageHead";
import { Seen } from "@/pages/questions/Seen";

const flag = flagParam();
const GPT2_TITLE = "GPT-2 itself";
const WAIT = 350; // ms after a slider's last move

export default function Playground() {
  const one = useChosen();
  const [two, setTwo] = useParam("second", flag);
  const other = useChosen("2", !two, "first");
  const [beside, setBeside] = useParam("gpt2", flag);
  const gpt2 = useGpt2(beside);
  const name = gpt2.data?.names[0];
  return (
    <>
      <PageHead
        title="Playground"
        lead="Let a checkpoint write. Each token is shaded by the probability the model gave it, and each can be replaced by another one."
      />
      <Stack gap="md">
        <Group align="flex-end" gap="md">
          <CheckpointPicker chosen={one} />
          <Button
            variant="default"
            aria-expanded={two}
            onClick={() => {
              setTwo(!two);
              if (other.run === "") other.setRun(one.run); // how it began, beside how it ended
            }}
          >
            {two ? "Only one checkpoint" : "A second one beside it"}
          </Button>
          <Button variant="default" aria-expanded={beside} onClick={() => setBeside(!beside)}>
            {beside ? "Without GPT-2" : "GPT-2 beside it"}
          </Button>
        </Group>
        <Collapse expanded={two}>
          <CheckpointPicker chosen={other} prefix="Second" />
        </Collapse>
        {beside && gpt2.error && <ErrorNote error={gpt2.error} onRetry={() => void gpt2.refetch()} />}
        {beside && gpt2.data && (
          <div data-testid="gpt2">
            {name ? (
              <Text size="sm">{GPT2_TITLE} writes beside it, and what each expects after the prompt is compared.</Text>
            ) : (
              <Gpt2Missing command={gpt2.data.command} />
            )}
          </div>
        )}
        {!one.ready ? (
          <Loader aria-label="Loading the checkpoints" />
        ) : one.error ? (
          <ErrorNote error={one.error} />
        ) : one.run === "" ? (
          <NoCheckpoints />
        ) : (
          <Desk one={one} other={two ? other : null} gpt2={beside ? name : undefined} />
        )}
      </Stack>
    </>
  );
}

/** `gpt2`: the name of the GPT-2 that writes beside them, if one shall. */
function Desk({ one, other, gpt2 }: { one: Chosen; other: Chosen | null; gpt2: string | undefined }) {
  const settings = useSettings();
  const first = one.checkpoint?.id;
  const second = other?.checkpoint?.id;
  const left = useWriter("first", first);
  const right = useWriter("second", second);
  const theirs = useWriter("gpt2", gpt2);
  const writing = left.writing || right.writing || theirs.writing;

  const write = () => {
    if (first) left.start({ ...settings.order, checkpoint: first });
    if (second) right.start({ ...settings.order, checkpoint: second });
    if (gpt2) theirs.start({ ...settings.order, checkpoint: gpt2 });
  };
  const again = useDebouncedCallback(write, WAIT);

  // A slider that moves writes the text again, unless somebody has made branches, which would be lost.
  const { temperature, topK, topP, seed, maxTokens, live } = settings;
  const present = JSON.stringify([temperature, topK, topP, seed, maxTokens, first, second, gpt2]);
  const loaded = first !== undefined && (other === null || second !== undefined);
  const before = useRef<string | null>(null);
  const untouched = left.branches === 1 && right.branches <= 1 && theirs.branches <= 1;
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
              theirs.stop();
            }}
            disabled={!writing}
            leftSection={<IconPlayerStop size={16} aria-hidden />}
          >
            Stop
          </Button>
        </Group>
        <SimpleGrid cols={{ base: 1, lg: other || gpt2 ? 2 : 1 }}>
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
          {gpt2 && (
            <WriterPanel
              title={GPT2_TITLE}
              writer={theirs}
              order={{ ...settings.order, checkpoint: gpt2 }}
              shape={settings.shape}
            />
          )}
        </SimpleGrid>
        {gpt2 && (
          <NextToken
            sides={[
              { title: titleOf(one), story: left.story },
              ...(other ? [{ title: titleOf(other), story: right.story }] : []),
              { title: GPT2_TITLE, story: theirs.story },
            ]}
          />
        )}
        <Seen place="playground" facts={() => ({ temperature })} />
      </Stack>
      <Paper withBorder p="md" component="section" aria-label="How to draw">
        <Controls settings={settings} />
      </Paper>
    </div>
  );
}

function titleOf({ checkpoint, summary, run }: Chosen): string {
  return momentTitle(summary ?? { name: run, path: run }, checkpoint);
}
