import { SimpleGrid, Text, Title } from "@mantine/core";
import { percent, word } from "@/components/model/visible";
import { branchOf, type Story } from "./story";

interface Props {
  sides: { title: string; story: Story }[];
}

const SHOWN = 6;

/** What each model expects right after the prompt, side by side. */
export function NextToken({ sides }: Props) {
  const known = sides.flatMap(({ title, story }) => {
    const first = branchOf(story)?.written[0];
    return first ? [{ title, candidates: first.alternatives.slice(0, SHOWN) }] : [];
  });
  if (known.length < 2) return null;
  return (
    <section aria-label="What comes after the prompt" data-testid="next-token">
      <Title order={2} mb="xs">
        What comes after the prompt
      </Title>
      <SimpleGrid cols={{ base: 1, xs: known.length }}>
        {known.map(({ title, candidates }) => (
          <div key={title}>
            <Text size="sm" fw={600}>
              {title}
            </Text>
            <ol aria-label={`After the prompt, by ${title}`} style={{ margin: 0, paddingLeft: 24 }}>
              {candidates.map(({ token_id, text, probability }) => (
                <li key={token_id}>
                  <Text component="span" size="sm" ff="monospace">
                    {word(text, 16)} {probability === null ? "" : percent(probability)}
                  </Text>
                </li>
              ))}
            </ol>
          </div>
        ))}
      </SimpleGrid>
    </section>
  );
}
