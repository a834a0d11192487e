import { Paper, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";

interface Props {
  title: string;
  children?: ReactNode;
  /** Buttons or links: what to do about it. */
  action?: ReactNode;
}

/** There is nothing here yet, why, and what to do about it. */
export function EmptyState({ title, children, action }: Props) {
  return (
    <Paper p="xl" withBorder style={{ borderStyle: "dashed" }} data-testid="empty-state">
      <Stack align="center" gap="sm" ta="center">
        <Title order={2}>{title}</Title>
        {children && (
          <Text c="dimmed" maw={560} component="div">
            {children}
          </Text>
        )}
        {action}
      </Stack>
    </Paper>
  );
}
