import { Alert, Anchor, Button, Group, Loader, Paper, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconGitFork, IconPlayerPlay } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { Link, useNavigate } from "react-router";
import { textParam, useParam } from "@/address/useParam";
import { useConfigSchema, useResolved } from "@/api/config";
import { ApiError } from "@/api/errors";
import { useFork, useRunOptions, useTrain } from "@/api/runs";
import { useRunSummary } from "@/api/summaries";
import { useSweep } from "@/api/sweeps";
import type { ConfigGroup, ConfigSchema } from "@/api/types";
import { titleOf } from "@/components/run/naming";
import { ErrorNote } from "@/components/ErrorNote";
import { flat } from "@/components/run/options";
import { PageHead } from "@/components/PageHead";
import { AllOptions } from "./newrun/AllOptions";
import { CorpusChoice } from "./newrun/CorpusChoice";
import { useDraft } from "./newrun/draft";
import { Estimate } from "./newrun/Estimate";
import { GroupChoice } from "./newrun/GroupChoice";
import { inherited } from "./newrun/inherited";
import { SaveSwitch } from "./newrun/SaveSwitch";
import { valueOf, valuesOf } from "./newrun/values";
import classes from "./newrun/NewRun.module.css";

export default function NewRun() {
  const { data: schema, error, refetch } = useConfigSchema();
  return (
    <>
      <PageHead
        title="New run"
        lead="Choose a size and a text, and start; or turn every screw. What it comes to is shown while you choose."
      />
      {error && <ErrorNote error={error} onRetry={() => void refetch()} />}
      {!schema && !error && <Loader aria-label="Loading the options" />}
      {schema && <Form schema={schema} />}
    </>
  );
}

const DEBOUNCE = 300;
const idParam = textParam();

function Form({ schema }: { schema: ConfigSchema }) {
  const draft = useDraft();
  const [checkpoint, setCheckpoint] = useParam("fork", idParam);
  const [parent] = useParam("from", idParam);
  const [name, setName] = useState("");
  const overrides = valuesOf(draft.choices);
  const { data: before } = useRunOptions(parent, checkpoint !== "");
  const base = useMemo(
    () => (checkpoint && before ? inherited(before, schema.options) : {}),
    [checkpoint, before, schema.options],
  );
  const [asked] = useDebouncedValue({ ...base, ...overrides }, DEBOUNCE);
  const { data: resolved, error: unresolved, isPlaceholderData } = useResolved(asked);
  const start = useStart({ checkpoint, parent, name });
  const options = flat(resolved?.config);
  // What comes from the run before was good enough for it: it is in the way of the estimate at most.
  const typed = (resolved?.errors ?? []).filter(
    ({ field }) => field === null || !(field in base) || field in overrides,
  );
  const errors = [...typed, ...fieldErrors(start.error)];
  const errorOf = (option: string) => errors.find(({ field }) => field === option)?.message ?? null;
  const group = (wanted: string) => schema.groups.find((one) => one.name === wanted);
  const runs = Object.values(draft.sweep).reduce((product, values) => product * Math.max(1, values.length), 1);
  const [model, experiment] = [group("model"), group("experiment")];
  return (
    <div className={classes.columns}>
      <Stack gap="xl" component="form" id="new-run" onSubmit={(event) => event.preventDefault()}>
        {checkpoint && <ForkNote run={parent} onForget={() => setCheckpoint("")} />}
        {model && !checkpoint && (
          <GroupChoice
            group={bySize(model)}
            title="Model"
            value={draft.choices.model ?? model.default ?? ""}
            onChange={(value) => draft.choose("model", value)}
          />
        )}
        {!checkpoint && <CorpusChoice choices={draft.choices} onChoose={draft.chooseAll} />}
        {experiment && !checkpoint && (
          <GroupChoice
            group={{
              ...experiment,
              choices: [{ name: "", description: "The defaults, and what you choose." }, ...experiment.choices],
            }}
            title="Prepared experiment"
            value={draft.choices.experiment ?? ""}
            onChange={(value) => draft.choose("experiment", value || null)}
          />
        )}
        <SaveSwitch
          resolved={resolved}
          on={(draft.choices.save ?? String(options.save ?? false)) === "true"}
          saveEvery={draft.choices.save_every ?? null}
          keep={draft.choices.keep ?? null}
          onChange={draft.choose}
        />
        <AllOptions
          groups={schema.groups}
          options={schema.options.filter(({ allowed }) => allowed)}
          draft={draft}
          resolved={options}
          errorOf={errorOf}
        />
      </Stack>
      <Paper withBorder p="md" className={classes.aside} component="aside" aria-label="What it comes to">
        <Stack gap="md">
          <Title order={2}>What it comes to</Title>
          {resolved && (
            <Estimate resolved={checkpoint ? { ...resolved, command: null } : resolved} stale={isPlaceholderData} />
          )}
          {unresolved && <ErrorNote error={unresolved} />}
          {errors.length > 0 && (
            <Stack gap={6} data-testid="form-errors">
              {errors.map(({ field, message }) => (
                <ErrorNote key={`${field} ${message}`} error={new Error(message)} />
              ))}
            </Stack>
          )}
          <TextInput
            label="Name"
            description="Only for you; the folder has a date"
            value={name}
            maxLength={120}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          {runs > 1 && <Text size="sm">A sweep of {runs} runs, one after the other.</Text>}
          <Button
            size="md"
            leftSection={<IconPlayerPlay size={18} aria-hidden />}
            loading={start.pending}
            disabled={errors.length > 0 && start.error === null}
            onClick={() =>
              start.go(
                overrides,
                Object.fromEntries(Object.entries(draft.sweep).map(([option, values]) => [option, values.map(plain)])),
              )
            }
            data-testid="start"
          >
            {runs > 1 ? `Start ${runs} runs` : "Start"}
          </Button>
          {start.error !== null && fieldErrors(start.error).length === 0 && <ErrorNote error={start.error} />}
        </Stack>
      </Paper>
    </div>
  );
}

function ForkNote({ run, onForget }: { run: string; onForget: () => void }) {
  const { data: parent } = useRunSummary(run);
  return (
    <Alert icon={<IconGitFork aria-hidden />} variant="outline" title="Going on from a checkpoint">
      <Group justify="space-between">
        <Text size="sm">
          The new run begins with the weights of a checkpoint of{" "}
          {parent ? (
            <Anchor component={Link} to={`/runs/${parent.id}`}>
              {titleOf(parent)}
            </Anchor>
          ) : (
            "another run"
          )}
          , and with its options but for those that you change. Model and text stay.
        </Text>
        <Button size="xs" variant="default" onClick={onForget}>
          Start from nothing instead
        </Button>
      </Group>
    </Alert>
  );
}

/** Starts what is chosen, whichever of the three it is, and goes where it can be watched. */
function useStart({ checkpoint, parent, name }: { checkpoint: string; parent: string; name: string }) {
  const train = useTrain();
  const fork = useFork();
  const sweep = useSweep();
  const navigate = useNavigate();
  const { data: forked } = useRunSummary(parent);
  const called = name ? { name } : checkpoint && forked ? { name: `fork of ${titleOf(forked)}`.slice(0, 120) } : {};
  const watch = (run: { id: string }) => void navigate(`/runs/${run.id}`);
  const go = (overrides: ReturnType<typeof valuesOf>, swept: Record<string, (string | number | boolean)[]>) => {
    [train, fork, sweep].forEach((one) => one.reset());
    if (checkpoint) fork.mutate({ run: parent, checkpoint, overrides, ...called }, { onSuccess: watch });
    else if (Object.keys(swept).length > 0)
      sweep.mutate({ overrides, sweep: swept }, { onSuccess: ({ id }) => void navigate(`/compare?sweep=${id}`) });
    else train.mutate({ overrides, ...called }, { onSuccess: watch });
  };
  return {
    go,
    pending: train.isPending || fork.isPending || sweep.isPending,
    error: train.error ?? fork.error ?? sweep.error,
  };
}

function fieldErrors(error: Error | null): { field: string | null; message: string }[] {
  return error instanceof ApiError && error.field !== null
    ? [{ field: error.field.replace(/^overrides\./, ""), message: error.message }]
    : [];
}

function plain(text: string): string | number | boolean {
  const value = valueOf(text);
  return typeof value === "number" || typeof value === "boolean" ? value : text;
}

const SIZES = ["nano", "small", "medium", "large"];

/** From the model that a laptop trains to the one that a large GPU does; a size that somebody has added comes last. */
function bySize(group: ConfigGroup): ConfigGroup {
  const place = (name: string) => (SIZES.includes(name) ? SIZES.indexOf(name) : SIZES.length);
  return { ...group, choices: [...group.choices].sort((one, other) => place(one.name) - place(other.name)) };
}
