/** A run's options as flat names, as they are typed: {optimizer: {lr: 3}} is optimizer.lr. */
export type Value = string | number | boolean | null;
export type Options = Record<string, Value>;

export function flat(config: unknown, prefix = ""): Options {
  const found: Options = {};
  if (typeof config !== "object" || config === null) return found;
  for (const [key, value] of Object.entries(config)) {
    const name = prefix + key;
    if (Array.isArray(value)) found[name] = `[${value.map(String).join(", ")}]`;
    else if (typeof value === "object" && value !== null) Object.assign(found, flat(value, `${name}.`));
    else if (typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null) found[name] = value;
  }
  return found;
}

/** The options in which at least two of the runs differ. A run that has not got an option counts as different. */
export function differing(all: Options[]): string[] {
  const names = new Set(all.flatMap((options) => Object.keys(options)));
  return [...names].filter((name) => new Set(all.map((options) => JSON.stringify(options[name]))).size > 1).sort();
}

export function written(value: Value | undefined): string {
  return value === undefined ? "–" : value === null ? "null" : String(value);
}
