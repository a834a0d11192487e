import { Button, FileButton, Group, Select, Stack, Text } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { useCorpora, useUpload } from "@/api/config";
import type { Corpus } from "@/api/types";
import { ErrorNote } from "@/components/ErrorNote";
import { bytes } from "@/components/words";
import type { Choices } from "./draft";

interface Props {
  choices: Choices;
  onChoose: (choices: Record<string, string | null>) => void;
}

/** The text to learn from: one of the lab's, or one's own. */
export function CorpusChoice({ choices, onChoose }: Props) {
  const { data: corpora = [], error } = useCorpora();
  const upload = useUpload();
  const chosen = corpora.find((corpus) => matches(corpus, choices));
  const choose = (corpus: Corpus) => onChoose({ corpus: null, "corpus.path": null, ...chosenBy(corpus) });
  return (
    <Stack gap="xs">
      <Group align="flex-end" gap="sm">
        <Select
          label="Text"
          description={chosen?.description ?? "What the model learns from"}
          data={corpora.map(({ name, bytes: size }) => ({
            value: name,
            label: size === null ? `${name}, fetched at first use` : `${name}, ${bytes(size)}`,
          }))}
          value={chosen?.name ?? null}
          onChange={(name) => {
            const corpus = corpora.find((one) => one.name === name);
            if (corpus) choose(corpus);
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

/** Is this the corpus that the choices name? Nothing chosen is the default, which is the first. */
function matches(corpus: Corpus, choices: Choices): boolean {
  if (choices.corpus === undefined) return corpus.overrides.corpus === "fables";
  return Object.entries(chosenBy(corpus)).every(([name, value]) => choices[name] === value);
}

function chosenBy(corpus: Corpus): Choices {
  return Object.fromEntries(Object.entries(corpus.overrides).map(([name, value]) => [name, String(value)]));
}
