import { Group, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";

interface Props {
  title: string;
  /** What this page is for, in a sentence. */
  lead?: ReactNode;
  actions?: ReactNode;
}

/** The top of a page. Its heading takes the focus when the page changes (see Shell). */
export function PageHead({ title, lead, actions }: Props) {
  useDocumentTitle(`${title} · gpt-lab`);
  return (
    <Group component="header" justify="space-between" align="flex-start" mb="lg" gap="sm">
      <div style={{ flex: "1 1 260px", minWidth: 0 }}>
        <Title order={1} tabIndex={-1} id="page-title" style={{ overflowWrap: "anywhere", outline: "none" }}>
          {title}
        </Title>
        {lead && (
          <Text c="dimmed" mt={2} component="div">
            {lead}
          </Text>
        )}
      </div>
      {actions && <Group gap="xs">{actions}</Group>}
    </Group>
  );
}
