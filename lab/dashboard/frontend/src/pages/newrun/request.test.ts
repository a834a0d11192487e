import { describe, expect, it } from "vitest";
import type { ConfigOption, ConfigSchema, RunRequest } from "@/api/types";
import type { Draft } from "./draft";
import { requestOf, runsOf, stands, unchosen } from "./request";
import { listOf, valueOf } from "./values";

const option = (name: string, type: string, optional = false) => ({ name, type, optional }) as ConfigOption;
const schema = {
  groups: [{ name: "model", choices: [], default: "nano" }],
  options: [
    option("optimizer.lr", "number"),
    option("sample.prompt", "text"),
    option("save", "boolean"),
    option("save_every", "integer", true),
    option("corpus.parts", "list", true),
    option("schedule.name", "choice"),
  ],
} as ConfigSchema;

const draft = (parts: Partial<Draft>) =>
  ({ choices: {}, sweep: {}, checkpoint: "", parent: "", name: "", tags: [], ...parts }) as Draft;
const request = (parts: Partial<Draft>, name = "") => requestOf(draft(parts), schema, name);

describe("the request of a draft", () => {
  it("has every field, whatever is started", () => {
    const choices = { model: "small", "optimizer.lr": "1e-3", save: "false", save_every: "null" };
    const parts = { choices, sweep: { "schedule.name": ["wsd", "cosine"], "optimizer.lr": [] }, tags: ["night"] };
    expect(request({ ...parts, checkpoint: "c", parent: "r" }, "bold")).toEqual({
      overrides: { model: "small", "optimizer.lr": 0.001, save: false, save_every: null },
      sweep: { "schedule.name": ["wsd", "cosine"] },
      parent: { run: "r", checkpoint: "c" },
      name: "bold",
      tags: ["night"],
      confirmed: false,
    } satisfies RunRequest);
    expect(request(parts).parent).toBeNull();
  });

  it("leaves a text as it is, also one that looks like a number", () => {
    expect(request({ choices: { "sample.prompt": "1e3" } }).overrides).toEqual({ "sample.prompt": "1e3" });
    expect(valueOf("[fables, a b.txt]", option("corpus.parts", "list"))).toEqual(["fables", "a b.txt"]);
    expect(listOf("[0.9, 0.95]")).toEqual([0.9, 0.95]);
  });

  it("counts its runs", () => {
    expect(runsOf(request({ sweep: { "optimizer.lr": ["1", "2"], "schedule.name": ["a", "b", "c"] } }))).toBe(6);
    expect(runsOf(request({}))).toBe(1);
  });

  it("without what was typed has the choices of files alone", () => {
    const whole = request({ choices: { model: "small", save: "true" }, checkpoint: "c" }, "bold");
    expect(unchosen(whole, schema)).toMatchObject({ overrides: { model: "small" }, name: null });
    expect(unchosen(whole, schema).parent?.checkpoint).toBe("c");
  });
});

describe("what was said of a value", () => {
  const then = request({ choices: { "optimizer.lr": "-1", save: "true" } });
  it("stands as long as the value does", () => {
    expect(stands("optimizer.lr", then, request({ choices: { "optimizer.lr": "-1" } }))).toBe(true);
    expect(stands("optimizer.lr", then, request({ choices: { "optimizer.lr": "1", save: "true" } }))).toBe(false);
  });
  it("and of no single one, as long as nothing changes", () => {
    expect(stands(null, then, then)).toBe(true);
    expect(stands("model.emb_dim", then, request({ choices: { save: "true" } }))).toBe(false);
  });
});
