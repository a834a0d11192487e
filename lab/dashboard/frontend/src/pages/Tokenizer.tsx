import { Anchor, Button, Grid, Group, Paper, SegmentedControl, Stack, Text, Textarea, Title } from "@mantine/core";
import { Link } from "react-router";
import { choiceParam, numberParam, textParam, useParam, useTab } from "@/address/useParam";
import { useTyped } from "@/address/useTyped";
import { type TokenizerName, useTokenize, type VocabularySize } from "@/api/models";
import { counted } from "@/api/vocabulary";
import { ErrorNote } from "@/components/ErrorNote";
import type { FigureName } from "@/components/figures/catalogue";
import { Computed } from "@/components/figures/Computed";
import { useDrawn } from "@/components/useDrawn";
import { Pieces } from "@/components/model/Pieces";
import { TokenTable } from "@/components/model/TokenTable";
import { PageHead } from "@/components/PageHead";
import { Seen } from "@/pages/questions/Seen";
import { Merges } from "./tokenizer/Merges";

const TEXT = "The fox, the foxes and Fox: three words for one animal.\nUnbelievable! 1234567 naïve 🦊";
const texts = textParam(TEXT);
const places = numberParam(null);
const KINDS: { value: TokenizerName; label: string; about: string }[] = [
  {
    value: "gpt2",
    label: "GPT-2",
    about: "Learnt from the web: frequent words are one token, rare ones fall into parts.",
  },
  { value: "bytes", label: "bytes", about: "Nothing is learnt: each byte of the text is a token." },
  {
    value: "chars",
    label: "characters",
    about: "A token for each character of the fables; others are written in their bytes.",
  },
  {
    value: "bpe",
    label: "BPE of the fables",
    about: "Learnt as GPT-2's was, from the training text of the fables alone.",
  },
];
const kinds = choiceParam(
  KINDS.map(({ value }) => value),
  "gpt2",
);
const SIZES: VocabularySize[] = [512, 1024, 2048, 4096, 8192];
const sizes = choiceParam(SIZES.map(String), "2048");
const WAIT = 150; // ms after the last key

export default function Tokenizer() {
  const [kept, keep] = useParam("text", texts);
  const [place, setPlace] = useParam("at", places);
  const [kind, setKind] = useTab("by", kinds);
  const [size, setSize] = useParam("size", sizes);
  const [text, setText] = useTyped(
    kept,
    (settled) => {
      keep(settled);
      setPlace(null);
    },
    WAIT,
  );
  const { data: found, error, refetch } = useTokenize(kept, kind, Number(size) as VocabularySize);
  const { drawn, more, showAll } = useDrawn(found?.tokens ?? [], place);
  return (
    <>
      <PageHead
        title="Tokenizer"
        lead={
          <>
            A model reads no letters: it reads tokens, pieces of text from a fixed list of {counted(found?.vocab_size)}.
            The longer the list, the fewer tokens a text takes, and the more of the model are the rows of its table.
          </>
        }
      />
      <Stack gap="lg">
        <Stack gap={4}>
          <Group gap="md">
            <SegmentedControl
              aria-label="Tokenizer"
              data={KINDS.map(({ value, label }) => ({ value, label }))}
              value={kind}
              onChange={(value) => {
                setKind(kinds.read(value));
                setPlace(null);
              }}
            />
            {kind === "bpe" && (
              <SegmentedControl
                aria-label="Size of the vocabulary"
                data={SIZES.map((value) => ({ value: String(value), label: value.toLocaleString("en") }))}
                value={size}
                onChange={(value) => {
                  setSize(sizes.read(value));
                  setPlace(null);
                }}
              />
            )}
          </Group>
          <Text size="sm" c="dimmed">
            {KINDS.find(({ value }) => value === kind)?.about}
          </Text>
        </Stack>
        <Textarea
          label="Text"
          autosize
          minRows={3}
          maxRows={12}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          spellCheck={false}
        />
        {error && <ErrorNote error={error} onRetry={() => void refetch()} />}
        {found && (
          <>
            <Group gap="xl" role="status" aria-label="Counts">
              <Count value={found.tokens.length} of="tokenizer.tokens" />
              <Count value={found.characters} of="tokenizer.characters" />
              <Count value={found.bytes} of="tokenizer.bytes" />
              <Count
                value={found.tokens.length > 0 ? found.bytes / found.tokens.length : null}
                of="tokenizer.bytes_per_token"
              />
              <Count value={new Set(found.tokens.map(({ token_id }) => token_id)).size} of="tokenizer.different" />
            </Group>
            {found.tokens.length === 0 ? (
              <Text c="dimmed">Type something above to see it cut into tokens.</Text>
            ) : (
              <Grid gap="lg">
                <Grid.Col span={{ base: 12, md: 7 }}>
                  <Title order={2} mb="xs">
                    In tokens
                  </Title>
                  <Pieces tokens={drawn} selected={place} onSelect={(at) => setPlace(at === place ? null : at)} />
                  {more > 0 && (
                    <Button size="compact-sm" variant="default" mt="xs" onClick={showAll}>
                      Show the other {more.toLocaleString("en")}
                    </Button>
                  )}
                  <Seen place="tokenizer" facts={() => ({ tokens: found.tokens.length, bytes: found.bytes })} />
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
                  <TokenTable tokens={drawn} selected={place} />
                </Grid.Col>
              </Grid>
            )}
            {found.merges.length > 0 && <Merges merges={found.merges} />}
          </>
        )}
      </Stack>
    </>
  );
}

function Count({ value, of }: { value: number | null; of: FigureName }) {
  return (
    <Paper data-tile={of}>
      <Text fw={650} fz="xl" lh={1.2}>
        {value === null ? "–" : Number.isInteger(value) ? value.toLocaleString("en") : value.toFixed(2)}
      </Text>
      <Text size="sm" c="dimmed" component="div">
        <Computed of={of} />
      </Text>
    </Paper>
  );
}
