/** A run once more: with the same options at a click, or with other ones, from the form. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { linkTo } from "@/address/kept";
import { overridesOf, startAgain } from "@/api/runs";
import { keys } from "@/api/keys";
import type { RunOptions } from "@/api/types";

/** Starts a run with the same options in a folder of its own, and goes there. */
export function useAgain(run: string) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: (confirmed: boolean) => startAgain(run, confirmed),
    onSuccess: ({ id }) => {
      void cache.invalidateQueries({ queryKey: keys.runs });
      void navigate(`/runs/${encodeURIComponent(id)}`);
    },
  });
}

/** Goes to the form, filled in with the options of a run; `changes` in the place of some of them. */
export function useAgainWithChanges(run: string) {
  const navigate = useNavigate();
  return useMutation({
    mutationFn: async (changes: Record<string, string>) => formOf(await overridesOf(run), changes),
    onSuccess: (address) => void navigate(address),
  });
}

/** The address of the form with these options. */
export function formOf({ overrides, fork, parent }: RunOptions, changes: Record<string, string> = {}): string {
  const address = new URLSearchParams();
  if (fork !== null) address.set("fork", fork);
  if (parent !== null) address.set("from", parent);
  const chosen = Object.entries(overrides).map(([name, value]) => [name, typed(value)] as const);
  for (const [name, value] of Object.entries({ ...Object.fromEntries(chosen), ...changes }))
    address.append("set", `${name}=${value}`);
  return linkTo("/new", address);
}

/** A value as it is typed into the form. */
function typed(value: RunOptions["overrides"][string]): string {
  return Array.isArray(value) ? `[${value.join(", ")}]` : String(value);
}
