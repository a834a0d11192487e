import { Button, FileButton, Group, Select, Stack, Text } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { useCorpora, useUpload } from "@/api/config";
import type { Corpus } from "@/api/types";
import { ErrorNote } from "@/components/ErrorNote";
import { bytes } from "@/components/words";
import type { Choices } from "./draft";
import { MixParts } from "./MixParts";

interface Props {
  choices: Choices;
  /** The corpus that is chosen, by whomever. */
  chosen: string;
  onChoose: (choices: Record<string, string | null>) => void;
}

/** The text to learn from: one of the lab's, or one's own. */
export function CorpusChoice({ choices, chosen: named, onChoose }: Props) {
  const { data: corpora = [], error } = useCorpora();
  const upload = useUpload();
  const mixed = (choices.corpus ?? named) === MIX;
  const chosen = mixed ? undefined : corpora.find((corpus) => matches(corpus, choices, named));
  const choose = (corpus: Corpus) => onChoose({ ...NOTHING, ...chosenBy(corpus) });
  return (
    <Stack gap="xs">
      <Group align="flex-end" gap="sm">
        <Select
          label="Text"
          description={
            mixed ? "Several texts, each with its share." : (chosen?.description ?? "What the model learns from")
          }
          data={[
            ...corpora.map((corpus) => ({ value: keyOf(corpus), label: labelOf(corpus) })),
            { value: MIX, label: "mix: several of these" },
          ]}
          value={mixed ? MIX : chosen ? keyOf(chosen) : null}
          onChange={(key) => {
            const corpus = corpora.find((one) => keyOf(one) === key);
            if (corpus) choose(corpus);
            else if (key === MIX) onChoose({ ...NOTHING, corpus: MIX, "corpus.parts": "[fables, grammar]" });
          }}
          allowDeselect={false}
          searchable
          style={{ flex: "1 1 220px" }}
          data-testid="corpus-choice"
        />
        <FileButton
          accept=".txt,.md,text/plain"
          onChange={(file) => file && upload.mutate(file, { onSuccess: choose })}
          inputProps={{ "aria-label": "A text file of your own" }}
        >
          {(props) => (
            <Button
              {...props}
              variant="default"
              leftSection={<IconUpload size={16} aria-hidden />}
              loading={upload.isPending}
            >
              Your own text
            </Button>
          )}
        </FileButton>
      </Group>
      {mixed && <MixParts corpora={corpora} choices={choices} onChoose={onChoose} />}
      {upload.isSuccess && (
        <Text size="sm" role="status">
          {upload.data.name} is uploaded and chosen. It stays on this machine.
        </Text>
      )}
      {upload.error && <ErrorNote error={upload.error} title="This text was not taken" />}
      {error && <ErrorNote error={error} />}
    </Stack>
  );
}

const MIX = "mix";
const NOTHING = { corpus: null, "corpus.path": null, "corpus.parts": null, "corpus.weights": null };

/** An uploaded text may be called as one of the lab's. */
function keyOf({ source, name }: Corpus): string {
  return source === "upload" ? `upload:${name}` : name;
}

function labelOf({ name, bytes: size, here }: Corpus): string {
  return size !== null
    ? `${name}, ${bytes(size)}`
    : here
      ? `${name}, written on the spot`
      : `${name}, fetched at first use`;
}

/** Is this the corpus that the choices name? */
function matches(corpus: Corpus, choices: Choices, named: string): boolean {
  if (choices.corpus === undefined) return corpus.source !== "upload" && corpus.name === named;
  return Object.entries(chosenBy(corpus)).every(([name, value]) => choices[name] === value);
}

function chosenBy(corpus: Corpus): Choices {
  return Object.fromEntries(Object.entries(corpus.overrides).map(([name, value]) => [name, String(value)]));
}
