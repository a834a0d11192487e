import { Button, Paper, Stack, TagsInput, Text, TextInput, Title } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useState } from "react";
import { useCost } from "@/api/config";
import type { Resolved, RunRequest } from "@/api/types";
import { ErrorNote } from "@/components/ErrorNote";
import { TooLarge } from "@/components/run/TooLarge";
import { CostNote, tooLarge } from "./CostNote";
import type { Draft } from "./draft";
import { Estimate, Outline } from "./Estimate";
import { RateWarning } from "./RateWarning";
import { runsOf } from "./request";
import type { Start } from "./useStart";
import classes from "./NewRun.module.css";

interface Props {
  draft: Draft;
  /** What it is called if nobody names it. */
  called: string;
  request: RunRequest;
  /** The request that is being asked about: the same, a moment ago. */
  asked: RunRequest;
  resolved: Resolved | undefined;
  stale: boolean;
  unresolved: Error | null;
  errors: { field: string | null; message: string }[];
  start: Start;
}

/** What it comes to, what it is called, and the button. */
export function StartPanel({ draft, called, request, asked, resolved, stale, unresolved, errors, start }: Props) {
  const {
    data: cost,
    isPlaceholderData,
    error: unknown,
  } = useCost(asked, !stale && resolved !== undefined && resolved.errors.length === 0);
  const [asking, setAsking] = useState(false);
  const runs = runsOf(request);
  const fits = cost?.memory.fits ?? true;
  return (
    <Paper withBorder p="md" className={classes.aside} component="aside" aria-label="What it comes to">
      <Stack gap="md">
        <Title order={2}>What it comes to</Title>
        {resolved && <Estimate resolved={resolved} stale={stale} />}
        {resolved && <RateWarning resolved={resolved} />}
        {cost && errors.length === 0 && <CostNote cost={cost} stale={stale || isPlaceholderData} />}
        {unresolved && <ErrorNote error={unresolved} />}
        {unknown && !unresolved && errors.length === 0 && <ErrorNote error={unknown} />}
        {errors.length > 0 && (
          <Stack gap={6} data-testid="form-errors">
            {errors.map(({ field, message }) => (
              <ErrorNote key={`${field} ${message}`} error={new Error(message)} />
            ))}
          </Stack>
        )}
        <TextInput
          label="Name"
          description={runs > 1 ? "Of the sweep" : "Only for you; the folder has a date"}
          placeholder={called}
          value={draft.name}
          maxLength={120}
          onChange={(event) => draft.rename(event.currentTarget.value)}
        />
        <TagsInput
          label="Tags"
          description="To find it by"
          value={draft.tags}
          maxTags={20}
          maxLength={40}
          onChange={draft.tag}
        />
        {runs > 1 && <Text size="sm">A sweep of {runs} runs, one after the other.</Text>}
        <div className={classes.start}>
          <Button
            fullWidth
            size="md"
            leftSection={<IconPlayerPlay size={18} aria-hidden />}
            loading={start.pending}
            disabled={errors.length > 0}
            onClick={() => {
              start.forget();
              if (fits) start.go(false);
              else setAsking(true);
            }}
            data-testid="start"
          >
            {runs > 1 ? `Start ${runs} runs` : "Start"}
          </Button>
        </div>
        {start.error !== null && <ErrorNote error={start.error} />}
        {resolved && <Outline resolved={resolved} stale={stale} />}
        <TooLarge
          opened={asking || start.unconfirmed}
          safe="Change something"
          busy={start.pending}
          onConfirm={() => {
            setAsking(false);
            start.go(true);
          }}
          onClose={() => {
            setAsking(false);
            start.forget();
          }}
        >
          {cost ? tooLarge(cost) : "More memory would be needed than is free."}
        </TooLarge>
      </Stack>
    </Paper>
  );
}
