import { Alert } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { Resolved } from "@/api/types";

/** The same in a sentence; null: there is nothing to say. */
export function rateWarning({ rate_warning: said }: Resolved): string | null {
  return said === null ? null : `${said.slice(0, 1).toUpperCase()}${said.slice(1)}.`;
}

/** That the learning rate is far outside of what works for this optimizer at this width, and what is usual. */
export function RateWarning({ resolved }: { resolved: Resolved }) {
  const said = rateWarning(resolved);
  if (said === null) return null;
  return (
    <Alert
      variant="outline"
      color="orange"
      icon={<IconAlertTriangle aria-hidden />}
      title="Is this the rate you meant?"
      data-testid="rate-warning"
    >
      {said}
    </Alert>
  );
}
