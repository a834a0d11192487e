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
  return (
    <EmptyState
      title="Nothing has been trained here yet"
      action={
        <>
          <Button
            size="md"
            leftSection={<IconPlayerPlay size={18} aria-hidden />}
            loading={train.isPending}
            onClick={() => train.mutate({ overrides: TINY, name: "my first model" }, { onSuccess: (run) => void navigate(`/runs/${encodeURIComponent(run.id)}`) })}
          >
            Train a tiny model now
          </Button>
          {train.error && <ErrorNote error={train.error} />}
        </>
      }
    >
      A GPT of three layers learns from 84 fables: about a minute on two CPU cores. You see its loss fall and its sentences take shape, and
      it keeps checkpoints for you to play with and to look into. Everything stays on this machine.
    </EmptyState>
  );
}
