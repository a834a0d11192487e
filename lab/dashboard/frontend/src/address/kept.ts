/**
 * What is too long for an address. A server refuses a request whose first line is longer than some thousand characters,
 * and a link of that length helps nobody. A long value stays in the tab instead, and the address says so: in the place of
 * `text=…` it has `text.kept=a1b2c3`.
 */

/** Characters of an address's search, as they are sent. */
export const LONGEST = 2_000;
const MARK = ".kept";
const STORE = "lab kept ";
/** Values that a tab keeps: those that were written last. */
const MOST = 40;

/** For a tab whose store is full or forbidden: as long as the page is open. */
const memory = new Map<string, string>();

/** Everything that the address stands for: what is kept elsewhere is put back into its place. */
export function whole(address: URLSearchParams): URLSearchParams {
  const found = new URLSearchParams();
  for (const [name, value] of address) {
    if (!name.endsWith(MARK)) found.append(name, value);
    else for (const one of recall(value) ?? []) found.append(name.slice(0, -MARK.length), one);
  }
  return found;
}

/** An address that is short enough: its longest values are kept elsewhere. `present`: the one before, whose places in
 * the store are used again, or each key that is typed would take up another one. */
export function shortened(wanted: URLSearchParams, present = new URLSearchParams()): URLSearchParams {
  const short = new URLSearchParams(wanted);
  while (short.toString().length > LONGEST) {
    const name = longest(short);
    if (name === null) return short;
    const key = present.get(name + MARK) ?? Math.random().toString(36).slice(2, 10);
    store(key, short.getAll(name));
    short.delete(name);
    short.set(name + MARK, key);
  }
  return short;
}

/** The names of the values that the address leaves out: those that are here, and those that are not. */
export function leftOut(address: URLSearchParams): { here: string[]; gone: string[] } {
  const marked = [...address].filter(([name]) => name.endsWith(MARK));
  const nameOf = ([name]: [string, string]) => name.slice(0, -MARK.length);
  return {
    here: marked.filter(([, key]) => recall(key) !== null).map(nameOf),
    gone: marked.filter(([, key]) => recall(key) === null).map(nameOf),
  };
}

/** A link to a page, however much it has to say. */
export function linkTo(path: string, wanted: URLSearchParams): string {
  const short = shortened(wanted).toString();
  return short ? `${path}?${short}` : path;
}

function longest(address: URLSearchParams): string | null {
  const sizes = new Map<string, number>();
  for (const [name, value] of address)
    if (!name.endsWith(MARK))
      sizes.set(name, (sizes.get(name) ?? 0) + new URLSearchParams([[name, value]]).toString().length);
  return [...sizes].sort(([, one], [, other]) => other - one)[0]?.[0] ?? null;
}

function store(key: string, values: string[]): void {
  const text = JSON.stringify(values);
  memory.set(key, text);
  try {
    forgetSome();
    window.sessionStorage.setItem(STORE + key, text);
    window.sessionStorage.setItem(`${STORE}keys`, JSON.stringify([...keys().filter((one) => one !== key), key]));
  } catch {
    // No room: it is here until the page is loaded anew.
  }
}

function recall(key: string): string[] | null {
  try {
    const found: unknown = JSON.parse(memory.get(key) ?? window.sessionStorage.getItem(STORE + key) ?? "null");
    return Array.isArray(found) && found.every((one) => typeof one === "string") ? found : null;
  } catch {
    return null;
  }
}

function forgetSome(): void {
  const known = keys();
  for (const old of known.slice(0, Math.max(0, known.length - MOST))) window.sessionStorage.removeItem(STORE + old);
  window.sessionStorage.setItem(`${STORE}keys`, JSON.stringify(known.slice(-MOST)));
}

/** The oldest first. */
function keys(): string[] {
  const found: unknown = JSON.parse(window.sessionStorage.getItem(`${STORE}keys`) ?? "[]");
  return Array.isArray(found) ? found.filter((one) => typeof one === "string") : [];
}
