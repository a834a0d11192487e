import { expect, it } from "vitest";
import { labelled } from "./labels";

it("a name stands to the right of its point, or where there is room", () => {
  const marks = [
    { cx: 100, cy: 100, text: "fox" },
    { cx: 102, cy: 101, text: "mill" }, // to the right is the fox
    { cx: 195, cy: 50, text: "crow" }, // to the right is the edge
  ];
  expect(labelled(marks, 200, 200).map((label) => label?.anchor)).toEqual(["start", "end", "end"]);
});

it("of many names at one place, four at most are there, and none lies over another", () => {
  const marks = Array.from({ length: 9 }, () => ({ cx: 100, cy: 100, text: "fox" }));
  const found = labelled(marks, 200, 200);
  expect(found.map((label) => label !== null)).toEqual([true, true, true, true, ...Array<boolean>(5).fill(false)]);
  expect(new Set(found.map((label) => label && `${label.x} ${label.y}`)).size).toBe(5);
});
