/** The run that is being put together: what differs from the defaults. It lives in the address. */
import { useCallback, useMemo } from "react";
import { useSearch } from "@/address/useSearch";

/** `optimizer.lr` to "1e-3", `model` to "small"; as typed on a command line. */
export type Choices = Record<string, string>;

export interface Draft {
  choices: Choices;
  /** Options that a sweep goes through, each with its values. */
  sweep: Record<string, string[]>;
  /** Sets an option; null: back to its default. */
  choose: (name: string, value: string | null) => void;
  /** The values of a sweep over an option; null: no sweep. */
  sweepOver: (name: string, values: string[] | null) => void;
  /** Sets several at once; what is null goes back to its default. */
  chooseAll: (choices: Record<string, string | null>) => void;
}

const CHOICE = "set";
const SWEEP = "sweep";

export function useDraft(): Draft {
  const [params, setParams] = useSearch();
  const address = params.toString();
  const { choices, sweep } = useMemo(() => {
    const read = new URLSearchParams(address);
    const pairs = (name: string) => read.getAll(name).map(pair);
    return {
      choices: Object.fromEntries(pairs(CHOICE)),
      sweep: Object.fromEntries(pairs(SWEEP).map(([name, values]) => [name, values.split(",").filter(Boolean)])),
    };
  }, [address]);

  const change = useCallback(
    (list: string, changes: Record<string, string | null>) =>
      setParams((next) => {
        const kept = next.getAll(list).filter((one) => !(pair(one)[0] in changes));
        next.delete(list);
        for (const one of kept) next.append(list, one);
        for (const [name, value] of Object.entries(changes)) if (value !== null) next.append(list, `${name}=${value}`);
      }),
    [setParams],
  );

  return {
    choices,
    sweep,
    choose: (name, value) => change(CHOICE, { [name]: value }),
    chooseAll: (all) => change(CHOICE, all),
    sweepOver: (name, values) => change(SWEEP, { [name]: values?.join(",") ?? null }),
  };
}

/** As words of a command line. Groups (no dot) first, so that an option of a group counts on top of it. */
export function overrides(choices: Choices): string[] {
  return Object.entries(choices)
    .sort(([one], [other]) => Number(one.includes(".")) - Number(other.includes(".")))
    .map(([name, value]) => `${name}=${value}`);
}

function pair(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
