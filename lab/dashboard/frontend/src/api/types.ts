/** Short names for the server's models, and what of them this page makes for itself. */
import type { components } from "./schema";

type Models = components["schemas"];

export type RunSummary = Models["RunSummary"];
export type RunDetail = Models["RunDetail"];
export type RunState = RunSummary["state"];
export type Checkpoint = Models["CheckpointInfo"];
export type Series = Models["Series"];
export type Value = NonNullable<Models["NewRun"]["overrides"]>[string];

/** A number, or the name of one that JSON cannot write. */
export type Figure = number | "NaN" | "Infinity" | "-Infinity";

export type Command = "pause" | "resume" | "stop" | "save" | "evaluate";

/** A folder of conf/: what can be chosen of its kind. */
export interface ConfigGroup {
  name: string;
  default: string | null;
  choices: { name: string; doc: string }[];
}

export interface ConfigOption {
  name: string;
  kind: "int" | "float" | "bool" | "str" | "list";
  doc: string;
  /** In words: "at least 1", "from 0 to 1". */
  range: string | null;
  choices: string[] | null;
}

export interface ConfigSchema {
  groups: ConfigGroup[];
  options: ConfigOption[];
}

export interface Resolved {
  /** null: something is wrong, see the errors. */
  config: Record<string, unknown> | null;
  errors: { field: string | null; message: string }[];
  parameters: number;
  memory: number | null;
  checkpoint_bytes: number | null;
  tokens_per_step: number;
  total_steps: number | null;
  curve: { steps: number[]; values: number[] };
  command: string;
}

export interface Corpus {
  name: string;
  title: string;
  bytes: number | null;
  /** What to choose to train on it. */
  overrides: Record<string, string>;
}
