/** What a run that goes on from another one's checkpoint takes over from it. */
import type { ConfigOption, Value } from "@/api/types";
import { flat } from "@/components/run/options";
import { valueOf } from "./values";

/** The parent's options, as overrides of the defaults, for those that can be given. */
export function inherited(config: unknown, options: ConfigOption[]): Record<string, Value> {
  const parent = flat(config);
  const found: Record<string, Value> = {};
  for (const { name, allowed } of options) {
    const value = parent[name];
    // The path of a prepared corpus is its own affair; only a text of one's own is chosen by it.
    if (name === "corpus.path" && !["path", "bin"].includes(String(parent["corpus.source"]))) continue;
    if (allowed && value !== undefined) found[name] = typeof value === "string" ? valueOf(value) : value;
  }
  for (const [group, chosen] of [
    ["optimizer", parent.optimizer],
    ["corpus", parent["corpus.name"]],
  ] as const) {
    if (typeof chosen === "string") found[group] = chosen.toLowerCase();
  }
  return found;
}
