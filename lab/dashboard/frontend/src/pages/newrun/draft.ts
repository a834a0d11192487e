/** The run that is being put together: what differs from where it begins. It lives in the address. */
import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";

/** `optimizer.lr` to "1e-3", `model` to "small"; as typed on a command line. */
export type Choices = Record<string, string>;

export interface Draft {
  choices: Choices;
  /** Options that a sweep goes through, each with its values. */
  sweep: Record<string, string[]>;
  /** The checkpoint that it goes on from, and the run that this is one of; empty: it begins from nothing. */
  checkpoint: string;
  parent: string;
  name: string;
  tags: string[];
  /** Sets an option; null: back to where it begins. */
  choose: (name: string, value: string | null) => void;
  /** Sets several at once. */
  chooseAll: (choices: Record<string, string | null>) => void;
  /** The values of a sweep over an option; null: no sweep. */
  sweepOver: (name: string, values: string[] | null) => void;
  rename: (name: string) => void;
  tag: (tags: string[]) => void;
  /** Begins from nothing instead. */
  forget: () => void;
}

const CHOICE = "set";
const SWEEP = "sweep";

export function useDraft(): Draft {
  const [params, setParams] = useSearchParams();
  const address = params.toString();
  const read = useMemo(() => {
    const found = new URLSearchParams(address);
    const pairs = (name: string) => found.getAll(name).map(pair);
    return {
      choices: Object.fromEntries(pairs(CHOICE)),
      sweep: Object.fromEntries(pairs(SWEEP).map(([name, values]) => [name, values.split(",").filter(Boolean)])),
      checkpoint: found.get("fork") ?? "",
      parent: found.get("from") ?? "",
      name: found.get("name") ?? "",
      tags: found.getAll("tag"),
    };
  }, [address]);

  const change = useCallback(
    (edit: (next: URLSearchParams) => void) =>
      setParams(
        (present) => {
          const next = new URLSearchParams(present);
          edit(next);
          return next;
        },
        { replace: true, preventScrollReset: true },
      ),
    [setParams],
  );
  const changePairs = (list: string, changes: Record<string, string | null>) =>
    change((next) => {
      const kept = next.getAll(list).filter((one) => !(pair(one)[0] in changes));
      const added = Object.entries(changes).flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]));
      replaceAll(next, list, [...kept, ...added]);
    });

  return {
    ...read,
    choose: (name, value) => changePairs(CHOICE, { [name]: value }),
    chooseAll: (all) => changePairs(CHOICE, all),
    sweepOver: (name, values) => changePairs(SWEEP, { [name]: values?.join(",") ?? null }),
    rename: (name) => change((next) => replaceAll(next, "name", name ? [name] : [])),
    tag: (tags) => change((next) => replaceAll(next, "tag", tags)),
    forget: () => change((next) => ["fork", "from"].forEach((one) => next.delete(one))),
  };
}

function replaceAll(params: URLSearchParams, name: string, values: string[]) {
  params.delete(name);
  for (const value of values) params.append(name, value);
}

function pair(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
