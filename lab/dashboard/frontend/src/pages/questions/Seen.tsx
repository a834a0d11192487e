import { Button, Collapse, Paper, Stack, Text } from "@mantine/core";
import { IconBulb } from "@tabler/icons-react";
import { useState } from "react";
import { CopyLine } from "@/components/CopyLine";
import type { Card, Facts, Place } from "./card";
import { cardsUnder } from "./catalogue";
import { CodeLine } from "./CodeLine";

interface Props {
  place: Place;
  /** What the chart above knows; asked for when somebody wants to see it. */
  facts?: () => Facts;
}

/** A button under a chart that says what was to be seen there. */
export function Seen({ place, facts }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <div data-testid={`seen-${place}`}>
      <Button
        size="compact-sm"
        variant="subtle"
        aria-expanded={open}
        leftSection={<IconBulb size={14} aria-hidden />}
        onClick={() => setOpen(!open)}
        my={4}
      >
        What did I just see?
      </Button>
      <Collapse expanded={open}>
        <Stack gap="xs">
          {open && cardsUnder(place).map((card) => <Told key={card.id} card={card} facts={facts?.() ?? {}} />)}
        </Stack>
      </Collapse>
    </div>
  );
}

function Told({ card, facts }: { card: Card; facts: Facts }) {
  return (
    <Paper withBorder p="sm" data-testid={`card-${card.id}`}>
      <Text fw={650} size="sm">
        {card.question}
      </Text>
      <Text size="sm" mb={6}>
        {card.says(facts)}
      </Text>
      <CodeLine {...card.code} />
      <CopyLine text={card.command} label={`command for: ${card.question}`} />
    </Paper>
  );
}
