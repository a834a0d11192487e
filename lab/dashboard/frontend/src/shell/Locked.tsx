import { Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { present, type Access } from "@/api/access";
import { PageHead } from "@/components/PageHead";
import { useLive } from "@/live/hooks";

const WORDS: Record<Exclude<Access, "right">, { title: string; lead: string }> = {
  missing: {
    title: "This link lacks the token",
    lead: "The server lets in only who has the token that it printed when it started. Open the printed link, or paste it here.",
  },
  wrong: {
    title: "The server has another token",
    lead: "The token that this browser came with is not the one of the server that now answers at this address: it may be another server, or have been set up anew. Open the link that it printed, or paste it here.",
  },
};

/** What is shown in the place of a page while the server does not let this browser in. */
export function Locked({ access }: { access: Exclude<Access, "right"> }) {
  const live = useLive();
  const [text, setText] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const open = async () => {
    setBusy(true);
    const refused = await present(text);
    setBusy(false);
    setError(refused);
    if (refused === null) live.hurry();
  };
  return (
    <div data-testid="locked" data-access={access}>
      <PageHead title={WORDS[access].title} lead={WORDS[access].lead} />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void open();
        }}
      >
        <Stack maw={620}>
          <TextInput
            label="Printed link or token"
            placeholder="http://127.0.0.1:8000/?token=…"
            autoComplete="off"
            spellCheck={false}
            value={text}
            error={error}
            onChange={(event) => {
              setText(event.currentTarget.value);
              setError(null);
            }}
          />
          <Group>
            <Button type="submit" loading={busy}>
              Open
            </Button>
          </Group>
          <Text size="sm" c="dimmed">
            The token also stands in the file <code>outputs/.dashboard-token</code>, where the server was started.
          </Text>
        </Stack>
      </form>
    </div>
  );
}
