import { describe, expect, it } from "vitest";
import { snap } from "@/series/points";
import { summary, table } from "./drawn";
import { withLevels } from "./levels";
import { atDot, newest } from "./reading";
import type { Level, Series } from "./types";

const sparse: Series = { id: "v", label: "validation", style: 1, sparse: true, x: [0, 10, 20], y: [9, 5, 6] };
const level: Level = { y: 5.5, label: "counting", meaning: "", style: 3 };

describe("the legend", () => {
  const at = (index: number | null, x: number, cursor = x) =>
    atDot({ line: sparse, points: sparse, trend: null, edges: [] }, { index, x, cursor }, String);

  it("tells the value at the dot, and where that is not under the cursor, its place", () => {
    expect(at(1, 10)).toBe("5");
    expect(at(2, 20, 16)).toBe("6 at 20"); // not the 5 before the cursor
    expect(at(null, 3)).toBe("–");
  });

  it("tells the range of a column that holds many points, and at rest the newest point", () => {
    const x = Array.from({ length: 9000 }, (_, place) => place);
    const line: Series = { id: "t", label: "training", style: 0, x, y: x.map((place) => (place % 2 ? 4 : 2)) };
    const points = snap(line, { from: 0, to: 8999, count: 100, log: false });
    expect(points.snapped).toBe(true);
    const place = points.x[101] as number;
    expect(atDot({ line, points, trend: null, edges: [] }, { index: 101, x: place, cursor: place }, String)).toBe("2 to 4");
    expect(newest({ x, y: [...line.y.slice(0, -1), 3.25] })).toBe("3.25");
  });
});

describe("the words and the table of a chart", () => {
  it("say how much was left out", () => {
    const series = [{ ...sparse, total: 2000 }];
    expect(summary(series, [level], [], String)).toContain("validation: 2,000 points, from 9 to 6; lowest 5 at 10.");
    expect(table(series, "steps").note).toContain("validation: 3 of 2,000 points");
    expect(table([sparse], "steps").note).toBeUndefined();
  });

  it("count the marks beyond the first few", () => {
    const marks = Array.from({ length: 9 }, (_, x) => ({ x, label: `Alert ${x}` }));
    expect(summary([sparse], [], marks, String)).toContain("Alert 2. 6 more marks.");
  });
});

describe("the y axis", () => {
  it("has room for a level that is near, and is not pressed flat by one that is far", () => {
    expect(withLevels(4, 9, [level], false)).toEqual([4, 9]);
    expect(withLevels(6, 9, [level], false)).toEqual([5.5, 9]);
    expect(withLevels(1, 1.5, [level], false)).toEqual([1, 1.5]);
  });
});
