/** A run's options as flat names, as they are typed: {optimizer: {lr: 3}} is optimizer.lr. */
export type Value = string | number | boolean | null;
export type Options = Record<string, Value>;

export function flat(config: unknown, prefix = ""): Options {
  const found: Options = {};
  if (typeof config !== "object" || config === null) return found;
  for (const [key, value] of Object.entries(config)) {
    const name = prefix + key;
    // The class behind a group is the choice itself: optimizer._target_=torch.optim.AdamW is optimizer: AdamW.
    if (key === "_target_") found[prefix.replace(/\.$/, "")] = String(value).split(".").at(-1) ?? null;
    else if (Array.isArray(value)) found[name] = `[${value.map(String).join(", ")}]`;
    else if (typeof value === "object" && value !== null) Object.assign(found, flat(value, `${name}.`));
    else if (typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null)
      found[name] = value;
  }
  return found;
}

/** Where a run writes, what it goes on from, and what it is called: no choice that a result could come of. */
const BOOKKEEPING = /^(logger|callbacks)\b|^(resume|name|tags|notes)$/;

/** The options in which at least two of the runs differ. A run that has not got an option counts as different. */
export function differing(all: Options[]): string[] {
  const names = new Set(all.flatMap((options) => Object.keys(options)));
  return [...names]
    .filter((name) => !BOOKKEEPING.test(name) && new Set(all.map((options) => JSON.stringify(options[name]))).size > 1)
    .sort();
}

/** Of those, the ones with at least two values; not those that a run either has or has not. */
export function varied(all: Options[]): string[] {
  return differing(all).filter(
    (name) => new Set(all.flatMap((options) => (name in options ? [JSON.stringify(options[name])] : []))).size > 1,
  );
}

export function written(value: Value | undefined): string {
  return value === undefined
    ? "–"
    : value === null
      ? "null"
      : typeof value === "number"
        ? String(Number(value.toPrecision(12)))
        : String(value);
}
