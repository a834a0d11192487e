/** What follows the `?` of the address, also where it is too long to stand there. */
import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";
import { shortened, whole } from "./kept";
import { search } from "./pace";

export interface Options {
  /** A step of its own in the browser's history: Back undoes it. Otherwise the present entry changes. */
  push?: boolean;
}

/** Several changes in one click are one change of the address: the router alone would keep only the last. */
let gathering: URLSearchParams | null = null;

function gather(): URLSearchParams {
  if (!gathering) {
    gathering = whole(present());
    setTimeout(() => (gathering = null));
  }
  return gathering;
}

/**
 * What the address says now. The router's hook knows what was drawn last: two changes between two drawings, of two fields
 * whose typing rests while the browser is busy, and the second would undo the first.
 */
function present(): URLSearchParams {
  return new URLSearchParams(search());
}

/** The whole of it, and how to change it. */
export function useSearch(): [URLSearchParams, (change: (params: URLSearchParams) => void, options?: Options) => void] {
  const [params, setParams] = useSearchParams();
  const address = params.toString();
  const found = useMemo(() => whole(new URLSearchParams(address)), [address]);
  const set = useCallback(
    (change: (params: URLSearchParams) => void, { push = false }: Options = {}) => {
      const changed = gather();
      change(changed);
      setParams(shortened(changed, push ? undefined : present()), { replace: !push, preventScrollReset: true });
    },
    [setParams],
  );
  return [found, set];
}
