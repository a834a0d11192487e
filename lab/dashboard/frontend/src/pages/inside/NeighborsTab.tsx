import { Paper, SimpleGrid, Text, Title } from "@mantine/core";
import type { ViewOf } from "@/api/models";
import { Computed } from "@/components/figures/Computed";
import type { Chosen } from "@/components/model/useChosen";
import { word } from "@/components/model/visible";
import { Bars } from "./Bars";
import { Framed } from "./Framed";
import { useFrames } from "./useFrames";

const measure = {
  name: "how close the closest neighbour is, in the mean",
  of: ({ of }: ViewOf<"neighbors">) => {
    const closest = of.flatMap(({ neighbors }) =>
      typeof neighbors[0]?.similarity === "number" ? [neighbors[0].similarity] : [],
    );
    return closest.length > 0 ? closest.reduce((sum, value) => sum + value, 0) / closest.length : null;
  },
};

export function NeighborsTab({ chosen, prompt }: { chosen: Chosen; prompt: string }) {
  const found = useFrames("neighbors", { chosen, prompt });
  return (
    <Framed found={found} chosen={chosen} measure={measure}>
      {({ of }) => (
        <section aria-label="Embedding neighbours">
          <Title order={3}>Embedding neighbours</Title>
          <Text size="sm" c="dimmed" mb="md" component="div">
            Each token is a vector, and training moves tokens that are used alike towards each other. For every token of
            the prompt: the tokens whose vectors point in nearly the same direction (
            <Computed of="inside.cosine" />: 1 the same, 0 nothing in common). At the start of a training they are
            chance.
          </Text>
          <SimpleGrid cols={{ base: 1, xs: 2, md: 3, xl: 4 }}>
            {of.map(({ token, neighbors }) => (
              <Paper key={token.token_id} withBorder p="sm" role="group" aria-label={`Neighbours of “${token.text}”`}>
                <Text fw={650} ff="monospace" mb={4}>
                  {word(token.text, 20)}
                </Text>
                <Bars
                  label="Closest tokens"
                  bars={neighbors.map(({ text, similarity }) => ({ text, value: similarity }))}
                  format={(value) => (typeof value === "number" ? value.toFixed(2) : value)}
                />
              </Paper>
            ))}
          </SimpleGrid>
        </section>
      )}
    </Framed>
  );
}
