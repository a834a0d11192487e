import { useNavigate } from "react-router";
import { ApiError } from "@/api/errors";
import { useTrain } from "@/api/runs";
import type { RunRequest } from "@/api/types";
import { isTooLarge } from "@/components/run/TooLarge";

export interface Start {
  go: (confirmed: boolean) => void;
  pending: boolean;
  /** It would not fit into the memory, and the server wants to hear a second word. */
  unconfirmed: boolean;
  /** Why the server has not started this very request, and the option at fault. */
  refusal: { field: string | null; message: string } | null;
  /** The same where no request is at fault: no connection, a full disk. */
  error: Error | null;
  forget: () => void;
}

/** Starts what is asked for, whatever it is, and goes where it can be watched. */
export function useStart(request: RunRequest): Start {
  const train = useTrain();
  const navigate = useNavigate();
  const asked = { ...train.variables, confirmed: false };
  const same = JSON.stringify(asked) === JSON.stringify({ ...request, confirmed: false });
  const error = same ? train.error : null;
  const refused = error instanceof ApiError && error.field !== null ? error : null;
  const unconfirmed = isTooLarge(refused);
  return {
    go: (confirmed) =>
      train.mutate(
        { ...request, confirmed },
        {
          onSuccess: ({ kind, id }) =>
            void navigate(
              kind === "sweep" ? `/compare?sweep=${encodeURIComponent(id)}` : `/runs/${encodeURIComponent(id)}`,
            ),
        },
      ),
    pending: train.isPending,
    unconfirmed,
    refusal:
      refused && !unconfirmed
        ? { field: refused.field?.replace(/^(overrides|sweep)\./, "") ?? null, message: refused.message }
        : null,
    error: refused ? null : error,
    forget: train.reset,
  };
}
