import { Alert } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { Resolved } from "@/api/types";

/** That the learning rate is far outside of what works for this optimizer at this width, and what is usual. */
export function RateWarning({ resolved }: { resolved: Resolved }) {
  if (resolved.rate_warning === null) return null;
  return (
    <Alert
      variant="outline"
      color="orange"
      icon={<IconAlertTriangle aria-hidden />}
      title="Is this the rate you meant?"
      data-testid="rate-warning"
    >
      {`${resolved.rate_warning.slice(0, 1).toUpperCase()}${resolved.rate_warning.slice(1)}.`}
    </Alert>
  );
}
