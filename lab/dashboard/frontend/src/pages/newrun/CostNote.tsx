import { Alert, Anchor, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { Link } from "react-router";
import type { Cost } from "@/api/types";
import { titleOf } from "@/components/run/naming";
import { bytes } from "@/components/words";
import { roughly } from "./roughly";

/** How long it will take, how that is known, and whether it fits. */
export function CostNote({ cost, stale }: { cost: Cost; stale: boolean }) {
  const { seconds, like, memory, runs } = cost;
  return (
    <div aria-busy={stale} data-testid="cost">
      <Text size="sm" data-testid="cost-time">
        {seconds === null ? (
          "How long it takes is not known before its text is here."
        ) : (
          <>
            Takes <b>{roughly(seconds)}</b>
            {runs > 1 && (runs === 2 ? " for both runs" : ` for all ${runs} runs`)},{" "}
            {like ? (
              <>
                if it is as fast as{" "}
                <Anchor component={Link} to={`/runs/${like.id}`} inherit>
                  {titleOf({ name: like.name, path: like.path })}
                </Anchor>
                .
              </>
            ) : (
              "by what this machine multiplied in a second."
            )}
          </>
        )}
      </Text>
      {memory.fits ? (
        <Text size="sm" c="dimmed" data-testid="cost-memory">
          Fits into the {bytes(memory.free)} of memory that {memory.device === "gpu" ? "the GPU has" : "are"} free.
        </Text>
      ) : (
        <Alert
          variant="outline"
          color="red"
          icon={<IconAlertTriangle aria-hidden />}
          title="Too large for this machine"
          mt="xs"
          data-testid="cost-memory"
        >
          {tooLarge(cost)}
        </Alert>
      )}
    </div>
  );
}

export function tooLarge({ memory }: Cost): string {
  return (
    `About ${bytes(memory.needed)} of memory would be needed, and of the ${bytes(memory.total)} of this ` +
    `${memory.device === "gpu" ? "GPU" : "machine"} ${bytes(memory.free)} are free. ` +
    "A smaller batch, context or model needs less."
  );
}
