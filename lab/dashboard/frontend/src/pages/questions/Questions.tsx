import { Anchor, List, Text, Title } from "@mantine/core";
import { Link } from "react-router";
import { useFirst } from "@/api/lists";
import { CopyLine } from "@/components/CopyLine";
import { CARDS, TWENTY } from "./catalogue";
import { CodeLine } from "./CodeLine";

const LATEST = { q: "", sort: "created", descending: true };

/** What learners ask, with the page and the command that answer it. */
export function Questions() {
  const { data: page } = useFirst(LATEST, 20);
  // A run that keeps checkpoints answers most of them.
  const ended = page?.rows.filter(({ state }) => state === "finished" || state === "stopped") ?? [];
  const run = (ended.find(({ checkpoints }) => checkpoints > 0) ?? ended[0])?.id ?? "";
  return (
    <section data-testid="questions">
      <Title order={2} mt="xl" mb={4}>
        Twenty questions
      </Title>
      <Text c="dimmed" maw={760} mb="md">
        Each is answered within two minutes: by a page, with the run that you finished last, or by a command. Under the
        charts, “What did I just see?” says the same of what is on the screen.
      </Text>
      <List type="ordered" spacing="lg" maw={860}>
        {TWENTY.map((id) => {
          const card = CARDS.find((one) => one.id === id);
          if (!card) return null;
          return (
            <List.Item
              key={id}
              styles={{ itemWrapper: { display: "inline-block", verticalAlign: "top", width: "calc(100% - 2em)" } }}
            >
              <Anchor component={Link} to={card.to(run)} fw={650} underline="always" data-testid={`question-${id}`}>
                {card.question}
              </Anchor>
              <Text size="sm" my={4}>
                {card.says({})}
              </Text>
              <CodeLine {...card.code} />
              <CopyLine text={card.command} label={`command for: ${card.question}`} />
            </List.Item>
          );
        })}
      </List>
    </section>
  );
}
