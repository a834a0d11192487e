/**
 * Files of the page that are fetched when they are needed.
 *
 * A file that could not be fetched stays dead: the browser keeps a failed import for as long as the page is open, and after
 * a new build its name is another one. What helps is to load the page anew, at the same address: once, and only from a
 * server that answers.
 */

const STORE = "lab loaded anew for ";
/** A page that was loaded anew so recently, and lacks a file all the same, is not helped by it. */
const ENOUGH = 60_000; // ms

/** The server was not reached: what failed may work when it is there again. */
export class Unreached extends TypeError {}

/** The file, by any means; never settles while the page is being loaded anew. */
export async function fetchPart<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    const part = await load();
    window.sessionStorage.removeItem(STORE + name);
    return part;
  } catch (error) {
    if (!(await serverHasPage())) throw new Unreached();
    const last = Number(window.sessionStorage.getItem(STORE + name) ?? 0);
    if (Date.now() - last < ENOUGH) throw error;
    window.sessionStorage.setItem(STORE + name, String(Date.now()));
    window.location.reload();
    return new Promise<T>(() => {});
  }
}

/** For who asks for it: another time, however recently it was tried. */
export function forget(name: string): void {
  window.sessionStorage.removeItem(STORE + name);
}

/** Does a server answer with the page? One that is being built anew, or another program, would leave nothing to see. */
async function serverHasPage(): Promise<boolean> {
  try {
    const answer = await fetch("/", { cache: "no-store" });
    return answer.ok && (await answer.text()).includes('id="root"');
  } catch {
    return false;
  }
}
