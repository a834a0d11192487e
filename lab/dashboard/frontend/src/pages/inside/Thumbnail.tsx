import { useEffect, useRef } from "react";
import { viridis } from "@/theme/palette";
import { SHADE } from "./heads";

const STEPS = 256;
let shades: Uint8ClampedArray | null = null;

/** Viridis as bytes: one look-up a pixel instead of one string. */
function viridisBytes(): Uint8ClampedArray {
  if (!shades) {
    shades = new Uint8ClampedArray(STEPS * 3);
    for (let at = 0; at < STEPS; at += 1) {
      const colour = viridis(at / (STEPS - 1));
      for (const channel of [0, 1, 2])
        shades[at * 3 + channel] = parseInt(colour.slice(1 + channel * 2, 3 + channel * 2), 16);
    }
  }
  return shades;
}

/** An attention map, a pixel for each weight; nothing where a position may not look. */
export function Thumbnail({ weights }: { weights: number[][] }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const seq = weights.length;
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || seq === 0) return;
    const image = context.createImageData(seq, seq);
    const colours = viridisBytes();
    weights.forEach((row, y) =>
      row.forEach((weight, x) => {
        if (x > y) return;
        const at = Math.min(STEPS - 1, Math.max(0, Math.round(weight ** SHADE * (STEPS - 1)))) * 3;
        image.data.set([colours[at] ?? 0, colours[at + 1] ?? 0, colours[at + 2] ?? 0, 255], (y * seq + x) * 4);
      }),
    );
    context.putImageData(image, 0, 0);
  }, [weights, seq]);
  return (
    <canvas
      ref={canvas}
      width={seq}
      height={seq}
      style={{ width: "100%", aspectRatio: 1, imageRendering: "pixelated", display: "block" }}
      aria-hidden
    />
  );
}
