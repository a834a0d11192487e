import { Button } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useNavigate } from "react-router";
import { useTrain } from "@/api/runs";
import { EmptyState } from "@/components/EmptyState";
import { ErrorNote } from "@/components/ErrorNote";
import { TINY } from "./tiny";

/** What a newcomer sees: one button, and the lab is in motion. */
export function FirstRun() {
  const train = useTrain();
  const navigate = useNavigate();
  // What `mutate` is told to call goes with the button, and that goes when the list of runs, told live, has its first one.
  const start = () =>
    train.mutateAsync({ overrides: TINY, name: "my first model" }).then(
      (run) => navigate(`/runs/${encodeURIComponent(run.id)}`),
      () => undefined, // train.error is on show
    );
  return (
    <EmptyState
      title="Nothing has been trained here yet"
      action={
        <>
          <Button
            size="md"
            leftSection={<IconPlayerPlay size={18} aria-hidden />}
            loading={train.isPending}
            onClick={() => void start()}
          >
            Train a tiny model now
          </Button>
          {train.error && <ErrorNote error={train.error} />}
        </>
      }
    >
      A GPT of three layers learns from 84 fables: about a minute on two CPU cores. You see its loss fall and its
      sentences take shape, and it keeps checkpoints for you to play with and to look into. Everything stays on this
      machine.
    </EmptyState>
  );
}
