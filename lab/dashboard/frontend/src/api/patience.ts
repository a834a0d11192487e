/** The worker answers one question after the other, and refuses those that are too many: they are asked again. */

const TOO_MANY = 429;
const MOST_TRIES = 30; // a minute in all

/** Shall what was refused with this `status`, so many times before, be asked again? */
export function isWorthWaiting(status: number, times: number): boolean {
  return status === TOO_MANY && times < MOST_TRIES;
}

/** How long to wait until then, in ms. */
export function pause(times: number): number {
  return Math.min(2000, 250 * 2 ** times);
}
