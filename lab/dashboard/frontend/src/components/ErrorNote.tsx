import { Alert, Button, Group, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { sentence } from "@/api/errors";

interface Props {
  error: unknown;
  /** Offers to try again. */
  onRetry?: () => void;
  title?: string;
}

/** What went wrong, in the server's own sentence. */
export function ErrorNote({ error, onRetry, title }: Props) {
  return (
    <Alert
      role="alert"
      variant="outline"
      color="red"
      icon={<IconAlertTriangle aria-hidden />}
      title={title}
      data-testid="error-note"
      styles={{
        root: { borderColor: "var(--lab-bad)" },
        title: { color: "var(--lab-bad)" },
        icon: { color: "var(--lab-bad)" },
      }}
    >
      <Group justify="space-between" gap="sm">
        <Text size="sm" style={{ overflowWrap: "anywhere", flex: 1 }}>
          {sentence(error)}
        </Text>
        {onRetry && (
          <Button size="xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        )}
      </Group>
    </Alert>
  );
}
