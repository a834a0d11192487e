/** A chart by keyboard: arrows move the cursor, + and - zoom, Escape shows all. */
import type uPlot from "uplot";

/** Does what a key stands for. Returns whether it stands for anything. */
export function steer(u: uPlot, key: string, zoomed: { current: boolean }, showAll: () => void): boolean {
  const xs = u.data[0];
  const { min, max } = u.scales.x ?? {};
  if (xs.length === 0 || min === undefined || max === undefined) return false;
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const at = u.cursor.idx ?? (key === "ArrowLeft" ? xs.length : -1);
    const next = Math.min(xs.length - 1, Math.max(0, at + (key === "ArrowLeft" ? -1 : 1)));
    u.setCursor({ left: u.valToPos(xs[next] as number, "x"), top: u.over.offsetHeight / 2 });
    return true;
  }
  if (key === "Escape") {
    showAll();
    return true;
  }
  if (key === "+" || key === "-") {
    const at = u.cursor.idx;
    const centre = at === null || at === undefined ? (min + max) / 2 : (xs[at] as number);
    const share = key === "+" ? 0.5 : 2;
    zoomed.current = true;
    u.setScale("x", {
      min: centre - (centre - min) * share,
      max: centre + (max - centre) * share,
    });
    return true;
  }
  return false;
}
