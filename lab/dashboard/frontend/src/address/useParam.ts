/** State that lives in the address, so that a link shows the same view and a reload loses nothing. */
import { useCallback, useMemo } from "react";
import { useSearch, type Options } from "./useSearch";

type Plain = string | number | boolean | string[] | null;

/** How a value is written in the address. `read` gets what is there and falls back where that makes no sense. */
export interface Codec<T> {
  read(text: string | null): T;
  /** null: leave it out of the address. */
  write(value: T): string | null;
}

export function textParam(fallback = ""): Codec<string> {
  return { read: (text) => text ?? fallback, write: (value) => (value === fallback ? null : value) };
}

export function numberParam(fallback: number): Codec<number>;
export function numberParam(fallback: null): Codec<number | null>;
export function numberParam(fallback: number | null): Codec<number | null> {
  return {
    read: (text) => (text !== null && text !== "" && Number.isFinite(Number(text)) ? Number(text) : fallback),
    write: (value) => (value === fallback || value === null ? null : String(value)),
  };
}

export function flagParam(fallback = false): Codec<boolean> {
  return {
    read: (text) => (text === null ? fallback : text === "1"),
    write: (value) => (value === fallback ? null : value ? "1" : "0"),
  };
}

export function choiceParam<T extends string>(choices: readonly T[], fallback: T): Codec<T> {
  return {
    read: (text) => choices.find((choice) => choice === text) ?? fallback,
    write: (value) => (value === fallback ? null : value),
  };
}

/** Several words: `?runs=a&runs=b` would be longer, and an id holds no comma. */
export const listParam: Codec<string[]> = {
  read: (text) => (text ? text.split(",").filter(Boolean) : []),
  write: (value) => (value.length ? value.join(",") : null),
};

type Setter<T> = (value: T | ((present: T) => T), options?: Options) => void;

/** Like useState, but the value is in the address under `name`. Make `codec` outside the component. */
export function useParam<T extends Plain>(name: string, codec: Codec<T>): [T, Setter<T>] {
  const [params, setParams] = useSearch();
  const text = params.get(name);
  const value = useMemo(() => codec.read(text), [codec, text]);
  const set = useCallback(
    (next: T | ((present: T) => T), options: Options = {}) =>
      setParams((changed) => {
        const written = codec.write(typeof next === "function" ? next(codec.read(changed.get(name))) : next);
        if (written === null) changed.delete(name);
        else changed.set(name, written);
      }, options),
    [codec, name, setParams],
  );
  return [value, set];
}

/** The same for a strip of tabs: Back leaves the tab, not the page. */
export function useTab<T extends Plain>(name: string, codec: Codec<T>): [T, (value: T) => void] {
  const [tab, setTab] = useParam(name, codec);
  return [tab, useCallback((next: T) => setTab(next, { push: true }), [setTab])];
}
