import { Text } from "@mantine/core";
import { CopyLine } from "@/components/CopyLine";

/** What to do where GPT-2 is not on this machine. */
export function Gpt2Missing({ command }: { command: string }) {
  return (
    <div data-testid="gpt2-missing">
      <Text size="sm" mb={4}>
        GPT-2&apos;s weights are not on this machine: this line fetches them once (548 MB, from Hugging Face), and then
        GPT-2 can be asked here.
      </Text>
      <CopyLine text={command} label="the command that fetches GPT-2" />
    </div>
  );
}
