/** Short names for the server's models, and what of them this page makes for itself. */
import type { components } from "./schema";

type Models = components["schemas"];

export type RunSummary = Models["RunSummary"];
export type RunRow = Models["RunRow"];
export type RunGroup = Models["RunGroup"];
export type StateFilter = "all" | "alive" | "finished" | "stopped" | "failed";
export type RunDetail = Models["RunDetail"];
export type RunState = RunSummary["state"];
export type RunOptions = Models["RunOptions"];
export type Checkpoint = Models["CheckpointInfo"];
export type Series = Models["Series"];
export type StepProfile = Models["StepProfile"];
export type Comparison = Models["Comparison"];
export type Moment = Models["CountedMoment"];
export type Contrast = Models["ContrastInfo"];
/** What is held equal when two sides are compared. */
export type HeldEqual = Contrast["by"];
/** What is asked for when something is started: the form, the command to copy and the start are made of one. */
export type RunRequest = Models["RunRequest"];
export type Value = NonNullable<RunRequest["overrides"]>[string];

/** A number, or the name of one that JSON cannot write. */
export type Figure = number | "NaN" | "Infinity" | "-Infinity";

export type Command = "pause" | "resume" | "stop" | "save" | "evaluate";

export type ConfigSchema = Models["Description"];
export type ConfigGroup = Models["Group"];
export type ConfigOption = Models["Option"];
export type Resolved = Models["Resolved"];
export type Cost = Models["Cost"];
export type Corpus = Models["CorpusInfo"];

/** What the server says over the live connection. */
export type ServerMessage = Models["ServerMessage"];
