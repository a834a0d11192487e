/** How somebody looked at the list last time: an address that says nothing shows it so again. */
import { useEffect, useRef } from "react";
import { useSearchParams } from "react-router";

const STORE = "lab list";
const KEPT = ["cols", "sort", "desc", "group", "figure"];

export function useRemembered(): void {
  const [params, setParams] = useSearchParams();
  const kept = new URLSearchParams();
  for (const name of KEPT) if (params.has(name)) kept.set(name, params.get(name) ?? "");
  const word = kept.toString();
  const opening = useRef(true);
  useEffect(() => {
    if (!opening.current || word !== "") {
      opening.current = false;
      return window.localStorage.setItem(STORE, word);
    }
    opening.current = false;
    const before = window.localStorage.getItem(STORE);
    if (params.size === 0 && before) setParams(new URLSearchParams(before), { replace: true });
    // What else stands in the address is no matter here.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [word]);
}
