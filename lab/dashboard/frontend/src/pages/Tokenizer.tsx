import { Anchor, Grid, Group, Paper, Stack, Text, Textarea, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { Link } from "react-router";
import { numberParam, textParam, useParam } from "@/address/useParam";
import { useTokenize } from "@/api/models";
import { counted, useVocabularySize } from "@/api/vocabulary";
import { ErrorNote } from "@/components/ErrorNote";
import { Pieces } from "@/components/model/Pieces";
import { TokenTable } from "@/components/model/TokenTable";
import { PageHead } from "@/components/PageHead";

const TEXT = "The fox, the foxes and Fox: three words for one animal.\nUnbelievable! 1234567 naïve 🦊";
const texts = textParam(TEXT);
const places = numberParam(null);
const WAIT = 150; // ms after the last key

export default function Tokenizer() {
  const [kept, keep] = useParam("text", texts);
  const [text, setText] = useState(kept);
  const [place, setPlace] = useParam("at", places);
  const vocabularySize = useVocabularySize();
  const [settled] = useDebouncedValue(text, WAIT);
  const { data: found, error, refetch } = useTokenize(settled);
  const change = (changed: string) => {
    setText(changed);
    keep(changed);
    setPlace(null);
  };
  return (
    <>
      <PageHead
        title="Tokenizer"
        lead={
          <>
            A model reads no letters: it reads tokens, pieces of text from a fixed list of {counted(vocabularySize)}.
            Frequent words are one token, rare ones fall into parts, and the space before a word belongs to it.
          </>
        }
      />
      <Stack gap="lg">
        <Textarea
          label="Text"
          autosize
          minRows={3}
          maxRows={12}
          value={text}
          onChange={(event) => change(event.currentTarget.value)}
          spellCheck={false}
        />
        {error && <ErrorNote error={error} onRetry={() => void refetch()} />}
        {found && (
          <>
            <Group gap="xl" role="status" aria-label="Counts">
              <Count value={found.tokens.length} name="tokens" />
              <Count value={found.characters} name="characters" />
              <Count value={found.bytes} name="bytes" />
              <Count value={found.tokens.length > 0 ? found.bytes / found.tokens.length : null} name="bytes a token" />
              <Count value={new Set(found.tokens.map(({ token_id }) => token_id)).size} name="different tokens" />
            </Group>
            {found.tokens.length === 0 ? (
              <Text c="dimmed">Type something above to see it cut into tokens.</Text>
            ) : (
              <Grid gap="lg">
                <Grid.Col span={{ base: 12, md: 7 }}>
                  <Title order={2} mb="xs">
                    In tokens
                  </Title>
                  <Pieces
                    tokens={found.tokens}
                    selected={place}
                    onSelect={(at) => setPlace(at === place ? null : at)}
                  />
                  <Text size="sm" c="dimmed" mt="xs">
                    Each shade is one token; the colours mean nothing else. A character that is cut in two, like many
                    emoji, shows as �: its parts are bytes and become a character only together. What the model gets are
                    the ids; each picks a row of{" "}
                    <Anchor component={Link} to="/learn" size="sm" underline="always">
                      the embedding
                    </Anchor>
                    .
                  </Text>
                </Grid.Col>
                <Grid.Col span={{ base: 12, md: 5 }}>
                  <Title order={2} mb="xs">
                    Ids and bytes
                  </Title>
                  <TokenTable tokens={found.tokens} selected={place} />
                </Grid.Col>
              </Grid>
            )}
          </>
        )}
      </Stack>
    </>
  );
}

function Count({ value, name }: { value: number | null; name: string }) {
  return (
    <Paper>
      <Text fw={650} fz="xl" lh={1.2}>
        {value === null ? "–" : Number.isInteger(value) ? value.toLocaleString("en") : value.toFixed(2)}
      </Text>
      <Text size="sm" c="dimmed">
        {name}
      </Text>
    </Paper>
  );
}
