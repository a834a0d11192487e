import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import source from "../../../../../model.py?raw";
import { excerpt } from "./excerpt";
import { STOPS } from "./stops";

describe("excerpt", () => {
  const file =
    "class A:\n    def one(self):\n        return 1\n\n    def two(\n        self,\n    ):\n        return 2\n\n\nclass B:\n    def two(self):\n        return 3\n";

  it("takes the method of that class, without its indentation", () => {
    expect(excerpt(file, "B.two")).toEqual({ line: 12, text: "def two(self):\n    return 3" });
    expect(excerpt(file, "A.two")).toEqual({ line: 5, text: "def two(\n    self,\n):\n    return 2" });
    expect(excerpt(file, "A")?.text.split("\n")).toHaveLength(8);
  });

  it("finds nothing where nothing is, and not in the next class", () => {
    expect(excerpt(file, "B.one")).toBeNull();
    expect(excerpt(file, "C")).toBeNull();
  });
});

describe("the tour", () => {
  it("shows code that is there", () => {
    for (const { code, file } of STOPS) {
      if (code) expect(excerpt(source, code)?.text, code).toMatch(/^(class|def) /);
      else expect(readFileSync(`../../../${file}`, "utf8").length, file).toBeGreaterThan(0);
    }
  });

  it("leads to pages that are there", () => {
    const pages = readdirSync("src/pages").map((name) => name.toLowerCase());
    for (const { links } of STOPS)
      for (const { to } of links) expect(pages).toContain(`${to.slice(1).split("?")[0]}.tsx`);
  });
});
