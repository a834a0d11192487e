import { Stack, Text, Title } from "@mantine/core";
import type { Merge } from "@/api/models";
import classes from "./Merges.module.css";

/** What byte-pair encoding joined first, in its order: a blank is shown as ␣. */
export function Merges({ merges }: { merges: Merge[] }) {
  return (
    <Stack gap="xs">
      <Title order={2}>The first merges</Title>
      <ol className={classes.merges} aria-label="The first merges of the vocabulary">
        {merges.map(({ left, right }, at) => (
          <li key={at}>
            <span>{shown(left)}</span>
            <span>{shown(right)}</span>
          </li>
        ))}
      </ol>
      <Text size="sm" c="dimmed">
        Byte-pair encoding begins with the bytes. Again and again it joins the two pieces that stand side by side most
        often, and the whole becomes a token: th, then the, then the word with the blank before it.
      </Text>
    </Stack>
  );
}

function shown(piece: string): string {
  return piece.replaceAll(" ", "␣");
}
