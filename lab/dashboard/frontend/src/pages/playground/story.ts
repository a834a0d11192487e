/** A text that a model writes, and the branches that somebody has taken: pure logic, without a page. */
import type { EndEvent, GenerationEvent, StartEvent, TokenEvent } from "@/api/generate";

/** How a text came to its end; null while it is being written. */
export type Outcome = EndEvent["reason"] | "stopped" | "failed";

/** A token of the text. `chosen`: by a person, from the alternatives, and not drawn by the model. */
export interface Written {
  token_id: number;
  text: string;
  probability: number | null;
  rank: number;
  entropy: number | null;
  alternatives: { token_id: number; text: string; probability: number | null }[];
  chosen: boolean;
}

export interface Branch {
  id: number;
  /** Where it left the branch before it; null for the first. */
  from: { branch: number; at: number } | null;
  prompt: StartEvent["tokens"];
  cropped: number;
  /** Tokens that can be drawn; null: all of the vocabulary. */
  drawable: number | null;
  written: Written[];
  outcome: Outcome | null;
}

export interface Story {
  branches: Branch[];
  /** Place in `branches` of the one on show. */
  shown: number;
}

export const NOTHING: Story = { branches: [], shown: 0 };
/** Branches that are kept: the oldest go. */
export const MOST_BRANCHES = 12;

export function branchOf(story: Story): Branch | null {
  return story.branches[story.shown] ?? null;
}

/** A new text. */
export function begin(): Story {
  const branch: Branch = { id: 0, from: null, prompt: [], cropped: 0, drawable: null, written: [], outcome: null };
  return { branches: [branch], shown: 0 };
}

/**
 * Another token at place `at` of the branch on show: what was written up to there stays, with the choice at its end, and
 * the rest is to be written anew. The same story when there is no such token or alternative.
 */
export function branchAt(story: Story, at: number, alternative: number): Story {
  const old = branchOf(story);
  const token = old?.written[at];
  const other = token?.alternatives.find(({ token_id }) => token_id === alternative);
  if (!old || !token || !other) return story;
  const rank = token.alternatives.indexOf(other);
  const choice: Written = {
    ...token,
    token_id: other.token_id,
    text: other.text,
    probability: other.probability,
    rank,
    chosen: true,
  };
  const branch: Branch = {
    ...old,
    id: Math.max(...story.branches.map(({ id }) => id)) + 1,
    from: { branch: old.id, at },
    written: [...old.written.slice(0, at), choice],
    outcome: null,
  };
  const branches = [
    ...story.branches.map((one) => (one.outcome === null ? { ...one, outcome: "stopped" as const } : one)),
    branch,
  ].slice(-MOST_BRANCHES);
  return { branches, shown: branches.length - 1 };
}

/** Ids that the server has to put behind the prompt before it goes on. */
export function prefixOf(branch: Branch): number[] {
  return branch.written.map(({ token_id }) => token_id);
}

/** An event of the generation, on the branch that is being written: the last one. */
export function hear(story: Story, event: GenerationEvent): Story {
  const branch = story.branches.at(-1);
  if (!branch || branch.outcome !== null) return story;
  switch (event.type) {
    case "start":
      // A branch's start has the prefix in it, and this is known better already, with its probabilities.
      if (branch.from !== null) return story;
      return replace(story, {
        ...branch,
        prompt: event.tokens,
        cropped: event.cropped,
        drawable: event.n_drawable,
      });
    case "token":
      return replace(story, { ...branch, written: [...branch.written, writtenOf(event)] });
    case "end":
      return replace(story, { ...branch, outcome: event.reason });
    case "error":
      return replace(story, { ...branch, outcome: "failed" });
  }
}

/** The writing has ended from outside. */
export function finish(story: Story, outcome: Outcome): Story {
  const branch = story.branches.at(-1);
  return branch && branch.outcome === null ? replace(story, { ...branch, outcome }) : story;
}

function replace(story: Story, branch: Branch): Story {
  return { ...story, branches: [...story.branches.slice(0, -1), branch] };
}

function writtenOf({ token_id, token, probability, rank, entropy, alternatives }: TokenEvent): Written {
  return {
    token_id,
    text: token,
    probability: finite(probability),
    rank,
    entropy: finite(entropy),
    alternatives: alternatives.map((one) => ({ ...one, probability: finite(one.probability) })),
    chosen: false,
  };
}

function finite(value: number | string): number | null {
  return typeof value === "number" ? value : null;
}

/**
 * Among how many equally likely tokens each choice was, in the mean: exp of the mean of minus log p, of the tokens that
 * the model drew itself. No perplexity: that is measured on texts that the model has not written.
 */
export function openness(written: Written[]): number | null {
  const known = written.flatMap(({ probability, chosen }) =>
    probability !== null && probability > 0 && !chosen ? [Math.log(probability)] : [],
  );
  return known.length > 0 ? Math.exp(-known.reduce((sum, one) => sum + one, 0) / known.length) : null;
}
