/** Every figure of the page has an entry, and every entry is on the page. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FIGURES, type Entry } from "./catalogue";

const ROOT = join(process.cwd(), "src");
const CODE = readdirSync(ROOT, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".tsx"))
  .map((file) => ({ file, text: readFileSync(join(ROOT, file), "utf8") }));

describe("the catalogue of figures", () => {
  it("has no entry that no page shows", () => {
    const unused = Object.keys(FIGURES).filter((name) => !CODE.some(({ text }) => text.includes(`"${name}"`)));
    expect(unused).toEqual([]);
  });

  it("has entries for every page", () => {
    const pages = new Set(Object.values<Entry>(FIGURES).map(({ page }) => page));
    expect([...pages].sort()).toEqual(
      ["Checkpoints", "Compare", "Inside", "New run", "Playground", "Run", "Runs", "Tokenizer"].sort(),
    );
  });

  it("says for each what it is computed from, in a sentence", () => {
    for (const [name, { from, label, source }] of Object.entries<Entry>(FIGURES)) {
      expect(from, name).toMatch(/^(exp |trainer\.|[A-Z]).{15,}\.$/);
      expect(label, name).not.toBe("");
      if (source) expect(source, name).toMatch(/^(events\.jsonl|state\.json|results\.json|config\.yaml)/);
    }
  });

  it("is where every figure comes from: no page writes a name and a number beside it", () => {
    const own = CODE.filter(({ file, text }) => /<d[td]\b/.test(text) && !file.endsWith("figures/Computed.tsx"));
    expect(own.map(({ file }) => file)).toEqual([]);
  });
});
