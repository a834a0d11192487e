import { describe, expect, it } from "vitest";
import { compact, labelsOf, momentTitle, shortened } from "./naming";
import type { Options } from "./options";

const run = (name: string, path = `outputs/day/${name}`) => ({ name, path });
const labels = (...all: Options[]) => labelsOf(all.map((options, at) => ({ run: run(`f${at}`), options })));

describe("what a run is called among others", () => {
  it("is what differs, in short, with the seed last", () => {
    expect(
      labels(
        { "optimizer.lr": 1e-3, "model.n_layers": 4, seed: 1, save: true },
        { "optimizer.lr": 1e-3, "model.n_layers": 2, seed: 1, save: true },
        { "optimizer.lr": 3e-4, "model.n_layers": 4, seed: 2, save: true },
      ),
    ).toEqual(["lr=1e-3, n_layers=4", "lr=1e-3, n_layers=2", "lr=3e-4, n_layers=4"]);
    expect(labels({ seed: 1, save: true, log_every: 1 }, { seed: 2, save: false, log_every: 5 })).toEqual([
      "seed=1",
      "seed=2",
    ]);
  });

  it("is never the seed alone where something else differs, too", () => {
    expect(labels({ lr: 0.1, seed: 1 }, { lr: 0.1, seed: 2 }, { lr: 0.2, seed: 3 })).toEqual([
      "lr=0.1, seed=1",
      "lr=0.1, seed=2",
      "lr=0.2, seed=3",
    ]);
  });

  it("names no option that says what another one says already", () => {
    const [one] = labels(
      { "model.emb_dim": 32, "model.hidden_dim": 128 },
      { "model.emb_dim": 64, "model.hidden_dim": 256 },
    );
    expect(one).toBe("emb_dim=32");
  });

  it("prefers what every run has: the class before the class's own options", () => {
    expect(
      labels({ optimizer: "AdamW", "optimizer.eps": 1e-8 }, { optimizer: "Muon", "optimizer.momentum": 0.9 }),
    ).toEqual(["optimizer=AdamW", "optimizer=Muon"]);
  });

  it("keeps the name that somebody gave, unless all have the same one", () => {
    const named = (name: string) => ({ name, path: "outputs/day/10-00-00" });
    const [a, b] = [{ lr: 1 }, { lr: 2 }];
    expect(
      labelsOf([
        { run: named("mine"), options: a },
        { run: run("f"), options: b },
      ]),
    ).toEqual(["mine (lr=1)", "lr=2"]);
    expect(
      labelsOf([
        { run: named("mine"), options: a },
        { run: named("mine"), options: b },
      ]),
    ).toEqual(["lr=1", "lr=2"]);
  });

  it("falls back to folders where options say nothing", () => {
    expect(labels({}, {})).toEqual(["f0", "f1"]);
    expect(labels({ lr: 1 }, { lr: 1 })).toEqual(["f0", "f1"]);
    expect(labels({ lr: 1 }, { lr: 1 }, { lr: 2 })).toEqual(["lr=1 (f0)", "lr=1 (f1)", "lr=2"]);
  });

  it("never gives two runs one label", () => {
    const all = Array.from({ length: 64 }, (_, at) => ({ "optimizer.lr": 10 ** -(at % 4), seed: at % 3 }));
    expect(new Set(labels(...all)).size).toBe(64);
  });

  it("shortens names as far as there is no doubt", () => {
    expect([...shortened(["model.dim", "data.dim", "corpus.name", "seed"]).values()]).toEqual([
      "model.dim",
      "data.dim",
      "corpus",
      "seed",
    ]);
    expect([3e-4, 1e-3, 0.1, 1, 2e6, null, "muon", 0].map(compact)).toEqual(
      "3e-4 1e-3 0.1 1 2e6 null muon 0".split(" "),
    );
  });
});

it("a job of a sweep at a step is named by its sweep, too", () => {
  const job = run("3", "multirun/day/20-22-13/3");
  expect(momentTitle(job, { name: "last.ckpt", step: 1200 })).toBe("20-22-13/3 at step 1,200");
  expect(momentTitle(run("fox"), { name: "last.ckpt", step: null })).toBe("fox, last.ckpt");
});
