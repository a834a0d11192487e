import { Textarea } from "@mantine/core";
import { useTyped } from "@/address/useTyped";

const WAIT = 500; // ms after the last key

/** A prompt as it is typed; the model is asked when the typing rests. */
export function Prompt({ prompt, onChange }: { prompt: string; onChange: (prompt: string) => void }) {
  const [text, setText] = useTyped(prompt, (next) => next !== "" && onChange(next), WAIT);
  return (
    <Textarea
      label="Prompt"
      autosize
      minRows={1}
      maxRows={8}
      value={text}
      error={text === "" ? "There has to be something to read: the views below are of the prompt before." : undefined}
      onChange={(event) => setText(event.currentTarget.value)}
    />
  );
}
