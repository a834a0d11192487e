/** The rules of the house: folders import downwards only. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/** From the ground up: a folder imports those before it. */
const FLOORS = ["theme", "address", "series", "api", "live", "components", "pages", "shell"];
const ROOT = join(process.cwd(), "src"); // npm runs tests where package.json lies

describe("the folders of the page", () => {
  it("import downwards only", () => {
    const files = readdirSync(ROOT, { recursive: true, encoding: "utf8" }).filter((file) => /\/.*\.tsx?$/.test(file));
    const upwards = files.flatMap((file) => {
      const floor = FLOORS.indexOf(file.split("/")[0] ?? "");
      const imported = [...readFileSync(join(ROOT, file), "utf8").matchAll(/["(]@\/([a-z]+)[/"]/g)].map(
        ([, name]) => name ?? "",
      );
      return imported.filter((name) => FLOORS.indexOf(name) > floor).map((name) => `${file} -> ${name}`);
    });
    expect(upwards).toEqual([]);
    expect(files.length).toBeGreaterThan(100);
  });

  it("have a floor each", () => {
    const folders = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).sort()).toEqual([...FLOORS].sort());
  });
});
