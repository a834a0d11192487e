import { Loader, Stack } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useConfigSchema, useResolved } from "@/api/config";
import { useRunSummary } from "@/api/summaries";
import type { ConfigGroup, ConfigSchema } from "@/api/types";
import { ErrorNote } from "@/components/ErrorNote";
import { PageHead } from "@/components/PageHead";
import { flat, written } from "@/components/run/options";
import { titleOf } from "@/components/run/naming";
import { AllOptions } from "./newrun/AllOptions";
import { CorpusChoice } from "./newrun/CorpusChoice";
import { type Draft, useDraft } from "./newrun/draft";
import { ForkNote } from "./newrun/ForkNote";
import { GroupChoice } from "./newrun/GroupChoice";
import { rateWarning } from "./newrun/RateWarning";
import { requestOf, stands, unchosen } from "./newrun/request";
import { SaveSwitch } from "./newrun/SaveSwitch";
import { StartPanel } from "./newrun/StartPanel";
import { useStart } from "./newrun/useStart";
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
/** Fields of their own in the form. */
const ELSEWHERE = ["name", "tags", "notes"];

function Form({ schema }: { schema: ConfigSchema }) {
  const draft = useDraft();
  const { data: parent } = useRunSummary(draft.parent);
  const goingOn = draft.checkpoint !== "";
  const called = goingOn && parent ? `fork of ${titleOf(parent)}`.slice(0, 120) : "";
  const request = requestOf(draft, schema, draft.name || called);
  const [asked] = useDebouncedValue(request, DEBOUNCE);
  const { data, error: unresolved, isPlaceholderData } = useResolved(asked);
  const { data: base } = useResolved(unchosen(asked, schema));
  const start = useStart(request);
  const told = data ? data.resolved.errors.filter(({ field }) => stands(field, data.request, request)) : [];
  const errors = start.refusal ? [...told, start.refusal] : told;
  const errorOf = (option: string) => errors.find(({ field }) => field === option)?.message ?? null;
  const resolved = data?.resolved;
  const [options, before] = [flat(resolved?.config), flat(base?.resolved.config)];
  const absent = new Set(resolved?.absent);
  const offered = (name: string) => !absent.has(name) || name in draft.choices || name in draft.sweep;
  return (
    <div className={classes.columns}>
      <Stack gap="xl" component="form" id="new-run" onSubmit={(event) => event.preventDefault()}>
        {goingOn ? (
          <ForkNote parent={parent} onForget={draft.forget} />
        ) : (
          <Choices schema={schema} draft={draft} chosen={resolved?.choices ?? {}} />
        )}
        <SaveSwitch draft={draft} before={before} options={{ ...before, ...options }} sizes={resolved?.sizes ?? null} />
        <AllOptions
          groups={schema.groups.filter(({ name }) => !absent.has(name))}
          chosen={resolved?.choices ?? {}}
          options={schema.options.filter(
            ({ name, allowed }) => allowed && !ELSEWHERE.includes(name) && (offered(name) || errorOf(name) !== null),
          )}
          draft={draft}
          goingOn={goingOn}
          before={(option) => written(options[option.name] ?? before[option.name] ?? defaultOf(option))}
          unset={(option) => written(before[option.name] ?? defaultOf(option))}
          errorOf={errorOf}
          warningOf={(option) => (option === "optimizer.lr" && resolved ? rateWarning(resolved) : null)}
        />
      </Stack>
      <StartPanel
        draft={draft}
        called={called}
        request={request}
        asked={asked}
        resolved={resolved}
        stale={isPlaceholderData}
        unresolved={unresolved}
        errors={errors}
        start={start}
      />
    </div>
  );
}

function defaultOf(option: ConfigSchema["options"][number]) {
  return flat({ [option.name]: option.default })[option.name];
}

/** What one chooses first: how large, of which text, or something prepared. */
function Choices({
  schema,
  draft,
  chosen,
}: {
  schema: ConfigSchema;
  draft: Draft;
  chosen: Record<string, string | null>;
}) {
  const group = (wanted: string) => schema.groups.find((one) => one.name === wanted);
  const [model, experiment] = [group("model"), group("experiment")];
  return (
    <>
      {model && (
        <GroupChoice
          group={bySize(model)}
          title="Model"
          value={draft.choices.model ?? chosen.model ?? model.default ?? ""}
          onChange={(value) => draft.choose("model", value)}
        />
      )}
      <CorpusChoice choices={draft.choices} chosen={chosen.corpus ?? "fables"} onChoose={draft.chooseAll} />
      {experiment && (
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
    </>
  );
}

const SIZES = ["nano", "small", "medium", "large"];

/** From the model that a laptop trains to the one that a large GPU does; a size that somebody has added comes last. */
function bySize(group: ConfigGroup): ConfigGroup {
  const place = (name: string) => (SIZES.includes(name) ? SIZES.indexOf(name) : SIZES.length);
  return { ...group, choices: [...group.choices].sort((one, other) => place(one.name) - place(other.name)) };
}
