import { Loader, Select, SimpleGrid, Stack } from "@mantine/core";
import { useMemo } from "react";
import { textParam, useParam } from "@/address/useParam";
import { useDistributions } from "@/api/runs";
import { EmptyState } from "@/components/EmptyState";
import { ErrorNote } from "@/components/ErrorNote";
import { Seen } from "@/pages/questions/Seen";
import { gradientSpread, weightSpread } from "./spread";
import { SpreadMap } from "./SpreadMap";

const wanted = textParam();

/** How large the weights of a part are, and the gradients that move it, through the run. */
export function Weights({ run, evaluations, alive }: { run: string; evaluations: number; alive: boolean }) {
  const { data, error, isPending, refetch } = useDistributions(run, evaluations);
  const [chosen, setPart] = useParam("part", wanted);
  const parts = useMemo(() => Object.keys(data?.moments.at(-1)?.parts ?? {}), [data]);
  const part = parts.includes(chosen) ? chosen : (parts.find((name) => name.endsWith("attention")) ?? parts[0] ?? "");
  const weights = useMemo(() => weightSpread(data?.moments ?? [], part), [data, part]);
  const gradients = useMemo(() => gradientSpread(data?.moments ?? [], part, data?.lowest_exponent ?? 0), [data, part]);
  if (error) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  if (isPending) return <Loader aria-label="Loading the distributions" size="sm" />;
  if (part === "") {
    return (
      <EmptyState title="No histograms">
        {alive
          ? "The first ones come with the first evaluation."
          : "This run has none: it is from an earlier version, its weights were shared out among processes (trainer=fsdp), or it ended before its first evaluation."}
      </EmptyState>
    );
  }
  return (
    <Stack gap="md">
      <Select
        label="Part of the model"
        data={parts.map((value) => ({ value, label: named(value) }))}
        value={part}
        onChange={(value) => setPart(value ?? "")}
        allowDeselect={false}
        maw={320}
      />
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="xl">
        <SpreadMap
          title="Weights"
          hint="They begin as a narrow bell around zero, and spread as the model learns. A bell that explodes, or never moves, tells of a rate that is too high or too low."
          spread={weights}
          format={(value) => value.toPrecision(2)}
        />
        {gradients.columns.length > 0 && (
          <SpreadMap
            title="Gradients"
            hint="By size, each row twice the one below: what moved the weights last, after clipping. Far below 1e-7, half precision sees zeros."
            spread={gradients}
            format={(value) => value.toExponential(0)}
          />
        )}
      </SimpleGrid>
      <Seen place="weights" />
    </Stack>
  );
}

/** "blocks.0.feed_forward" as "block 0, feed forward". */
function named(part: string): string {
  const words = part.split(".");
  const name = (words.at(-1) ?? "").replaceAll("_", " ");
  return words[0] === "blocks" && words.length > 1 ? `block ${words[1]}${words.length > 2 ? `, ${name}` : ""}` : name;
}
