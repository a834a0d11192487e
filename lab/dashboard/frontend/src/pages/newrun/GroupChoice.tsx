import { Radio, SimpleGrid, Text } from "@mantine/core";
import type { ConfigGroup } from "@/api/types";
import classes from "./GroupChoice.module.css";

interface Props {
  group: ConfigGroup;
  title: string;
  value: string;
  onChange: (value: string) => void;
}

/** One of the files of a configuration group, each with the sentence that says who should choose it. */
export function GroupChoice({ group, title, value, onChange }: Props) {
  return (
    <Radio.Group value={value} onChange={onChange} label={title} labelProps={{ className: classes.title }}>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs" mt={6}>
        {group.choices.map((choice) => (
          <Radio.Card
            key={choice.name}
            value={choice.name}
            className={classes.card}
            data-testid={`choice-${group.name}-${choice.name}`}
          >
            <Radio.Indicator size="xs" mt={3} />
            <div>
              <Text span fw={600} display="block">
                {choice.name || "none"}
              </Text>
              <Text span size="xs" c="dimmed" display="block" lh={1.4}>
                {choice.description}
              </Text>
            </div>
          </Radio.Card>
        ))}
      </SimpleGrid>
    </Radio.Group>
  );
}
