import { Button, Group, Text, Title } from "@mantine/core";
import { Link } from "react-router";
import { counted, useVocabularySize } from "@/api/vocabulary";
import { PageHead } from "@/components/PageHead";
import { Code } from "./learn/Code";
import { Decoder } from "./learn/decoder/Decoder";
import classes from "./learn/Learn.module.css";
import { STOPS } from "./learn/stops";

export default function Learn() {
  const vocabularySize = counted(useVocabularySize());
  return (
    <>
      <PageHead
        title="Learn"
        lead="A GPT from inside: its decoder, with the numbers of your own model, and a tour in ten stops with the lines of lab/model.py that do it."
      />
      <Decoder />
      <Title order={2} mt="xl" mb="md">
        The tour
      </Title>
      <ol className={classes.stops}>
        {STOPS.map(({ title, text, code, file, links, attempt }, at) => (
          <li key={title} className={classes.stop}>
            <span className={classes.number} aria-hidden>
              {at + 1}
            </span>
            <div className={classes.body}>
              <Title order={3} mb={4}>
                {title}
              </Title>
              <Text>{typeof text === "string" ? text : text(vocabularySize)}</Text>
              <Text size="sm" c="dimmed" mt="xs">
                <strong>Try:</strong> {attempt}
              </Text>
              <Group gap="xs" my="sm">
                {links.map(({ to, label }, link) => (
                  <Button key={to} component={Link} to={to} size="xs" variant={link === 0 ? "filled" : "default"}>
                    {label}
                  </Button>
                ))}
              </Group>
              {code ? (
                <Code name={code} />
              ) : (
                <Text size="sm" c="dimmed">
                  Not in the model itself: <code>{file}</code>
                </Text>
              )}
            </div>
          </li>
        ))}
      </ol>
      <Text c="dimmed" maw={760}>
        On the page Inside, everything can be played through the checkpoints of a run: the same prompt, from the first
        step to the last. That is the best way to see what training does.
      </Text>
    </>
  );
}
