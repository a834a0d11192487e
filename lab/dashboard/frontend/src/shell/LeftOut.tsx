import { Alert, Text } from "@mantine/core";
import { useLocation } from "react-router";
import { leftOut } from "@/address/kept";

const NAMES: Record<string, string> = { text: "the text", prompt: "the prompt", set: "the options" };

/** What the address of this page leaves out for its length, and what follows for who is given the link. */
export function LeftOut() {
  const { search } = useLocation();
  const { here, gone } = leftOut(new URLSearchParams(search));
  const list = (names: string[]) => names.map((name) => NAMES[name] ?? `“${name}”`).join(" and ");
  if (gone.length > 0) {
    return (
      <Alert variant="outline" color="orange" mb="md" data-testid="left-out" role="status">
        This link leaves out {list(gone)}: too long for an address, it stays in the tab where it was typed.
      </Alert>
    );
  }
  if (here.length === 0) return null;
  return (
    <Text size="sm" c="dimmed" mb="sm" data-testid="left-out">
      Too long for the address: {list(here)}. It stays in this tab, also when the page is loaded anew; a link to it goes
      without.
    </Text>
  );
}
