/** When the page is drawn again: for all runs at once, twenty times a second, and less often where drawing is slow. */

const FASTEST = 50;
const SLOWEST = 1_000;
/** A frame that takes longer is felt. */
const SLOW_FRAME = 34;
/** After a slow frame this many times its length pass without another. */
const REST = 12;

const waiting = new Set<() => void>();
let timer: number | undefined;
let pause = FASTEST;

/** Calls `draw` soon, together with what else is to be drawn; asked for several times, it is called once. */
export function soon(draw: () => void): void {
  waiting.add(draw);
  timer ??= window.setTimeout(drawAll, pause);
}

function drawAll(): void {
  timer = undefined;
  const draws = [...waiting];
  waiting.clear();
  const began = performance.now();
  draws.forEach((draw) => draw());
  // The second frame begins when the first has been put on the screen.
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const took = performance.now() - began - 1000 / 60;
      pause = took > SLOW_FRAME ? Math.min(SLOWEST, took * REST) : Math.max(FASTEST, pause * 0.8);
    }),
  );
}
