import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PLACES } from "./card";
import { CARDS, cardsUnder, TWENTY } from "./catalogue";
import { lineOf } from "./CodeLine";
import { sourceOf } from "./sources";
import { factsOf } from "./training";

const card = (id: string) => {
  const found = CARDS.find((one) => one.id === id);
  if (!found) throw new Error(id);
  return found;
};

describe("the cards", () => {
  it("are tied to lines that are there", async () => {
    for (const { id, code } of CARDS)
      expect(lineOf(await sourceOf(code.file), code.name, code.line)?.text, id).toContain(code.line);
  });

  it("answer twenty questions, and stand under every chart", () => {
    expect(new Set(TWENTY).size).toBe(20);
    expect(new Set(TWENTY.map((id) => card(id).question)).size).toBe(20);
    for (const place of PLACES) expect(cardsUnder(place).length, place).toBeGreaterThan(0);
  });

  it("lead to pages that are there", () => {
    const pages = readdirSync("src/pages").map((name) => name.toLowerCase());
    const path = (to: string) => to.split(/[?/]/)[1] ?? "";
    for (const { to } of CARDS)
      for (const run of ["", "abc"]) expect(pages, to(run)).toContain(`${path(to(run)).replace("new", "newrun")}.tsx`);
  });
});

describe("what they say", () => {
  const track = (points: [number, number | null][]) => ({
    steps: points.map(([step]) => step),
    values: points.map(([, value]) => value),
  });

  it("is about the run on the screen", () => {
    const facts = factsOf({
      val_loss: track([
        [0, 10.82],
        [50, 5.1],
        [100, 5.6],
      ]),
      learning_rate: track([
        [1, 1e-4],
        [20, 3e-4],
        [100, 3e-5],
      ]),
      grad_norm: track([
        [1, 7.25],
        [2, null],
        [100, 0.5],
      ]),
    });
    expect(card("loss").says({ ...facts, vocabularySize: 50_257 })).toContain(
      "At step 0 the loss is 10.82, and ln(50,257) = 10.82: a fresh model guesses",
    );
    expect(card("memorise").says(facts)).toContain(
      "From step 50 on: validation was lowest there (5.10), and at step 100 it is 5.60",
    );
    expect(card("warmup").says(facts)).toContain("largest at step 20 (3.0e-4)");
    expect(card("rate").says(facts)).toContain("7.25, came at step 1; now it is 0.500");
  });

  it("claims nothing that is not so", () => {
    const falling = factsOf({
      val_loss: track([
        [0, 5.5],
        [50, 5.1],
      ]),
    });
    expect(card("memorise").says(falling)).toMatch(/^Not yet/);
    expect(card("loss").says({ ...falling, vocabularySize: 50_257 })).not.toContain("fresh");
    expect(card("best-possible").says(falling)).not.toMatch(/\d/);
    for (const one of CARDS) expect(one.says({}), one.id).not.toMatch(/undefined|NaN/);
  });
});
