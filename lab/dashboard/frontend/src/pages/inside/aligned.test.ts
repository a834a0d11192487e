import { describe, expect, it } from "vitest";
import { aligned, type Point } from "./aligned";

const shape: Point[] = [
  { x: 3, y: 0 },
  { x: -1, y: 2 },
  { x: -2, y: -2 },
];

function turned(points: Point[], angle: number, mirror: boolean): Point[] {
  return points.map(({ x, y: up }) => {
    const y = mirror ? -up : up;
    return { x: Math.cos(angle) * x - Math.sin(angle) * y, y: Math.sin(angle) * x + Math.cos(angle) * y };
  });
}

describe("maps of two moments", () => {
  for (const angle of [0, 0.3, 2, -3]) {
    for (const mirror of [false, true]) {
      it(`lie on each other, turned by ${angle}${mirror ? " and mirrored" : ""}`, () => {
        aligned(turned(shape, angle, mirror), shape).forEach(({ x, y }, at) => {
          expect(x).toBeCloseTo(shape[at]?.x ?? NaN);
          expect(y).toBeCloseTo(shape[at]?.y ?? NaN);
        });
      });
    }
  }
});
