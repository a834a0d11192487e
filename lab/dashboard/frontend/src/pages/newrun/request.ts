/** The draft as the one request that is previewed, copied and started; and what was said of an earlier one. */
import type { ConfigOption, ConfigSchema, RunRequest, Value } from "@/api/types";
import type { Draft } from "./draft";
import { sweptOf, valuesOf } from "./values";

export function requestOf(draft: Draft, schema: ConfigSchema, name: string): RunRequest {
  const options = new Map<string, ConfigOption>(schema.options.map((option) => [option.name, option]));
  return {
    overrides: valuesOf(draft.choices, options),
    sweep: sweptOf(draft.sweep, options),
    parent: draft.checkpoint ? { run: draft.parent, checkpoint: draft.checkpoint } : null,
    name: name || null,
    tags: draft.tags,
    confirmed: false,
  };
}

/** The same with nothing but the choices of files: what the options are when none is typed. */
export function unchosen(request: RunRequest, schema: ConfigSchema): RunRequest {
  const kept = new Set([...schema.groups.map(({ name }) => name), "corpus.path", "corpus.parts"]);
  const overrides = Object.fromEntries(Object.entries(request.overrides ?? {}).filter(([name]) => kept.has(name)));
  return { overrides, sweep: {}, parent: request.parent ?? null, name: null, tags: [], confirmed: false };
}

/** How many runs it asks for. */
export function runsOf({ sweep }: RunRequest): number {
  return Object.values(sweep ?? {}).reduce((product, values) => product * values.length, 1);
}

/** Does what was said of `field` in an earlier request still concern this one? Only as long as its value is the same; a
 * sentence about no single option, as long as everything is. */
export function stands(field: string | null, then: RunRequest, now: RunRequest): boolean {
  const at = (request: RunRequest): unknown[] => {
    const given: Record<string, Value | Value[]> = { ...request.overrides, ...request.sweep };
    return field !== null && field in given ? [given[field]] : [request];
  };
  return JSON.stringify(at(then)) === JSON.stringify(at(now));
}
