import { Group, UnstyledButton } from "@mantine/core";
import { word } from "@/components/model/visible";
import classes from "./Branches.module.css";
import type { Story } from "./story";

/** The texts so far: the first, and one for each choice. */
export function Branches({ story, onShow }: { story: Story; onShow: (index: number) => void }) {
  if (story.branches.length < 2) return null;
  return (
    <Group gap={6} role="group" aria-label="Branches">
      {story.branches.map(({ id, from, written }, index) => {
        const choice = from ? written[from.at] : null;
        return (
          <UnstyledButton
            key={id}
            className={classes.branch}
            aria-pressed={index === story.shown}
            onClick={() => onShow(index)}
          >
            {from && choice ? `${id}: “${word(choice.text)}” at ${from.at}` : "the first"}
          </UnstyledButton>
        );
      })}
    </Group>
  );
}
