import { describe, expect, it } from "vitest";
import { RunRecord, type RunEvent } from "./record";

function point(seq: number, step: number, train_loss: number | string): RunEvent {
  return { seq, step, time: 1000 + seq, kind: "metrics", train_loss };
}

describe("RunRecord", () => {
  it("takes every event once, also when a reconnect sends some again", () => {
    const record = new RunRecord("a");
    record.begin({ seq: 1, tracks: { train_loss: { steps: [1], times: [1001], values: [9] } }, notes: [] });
    expect(record.add([point(2, 2, 8), point(3, 3, 7)])).toBe(true);
    expect(record.add([point(2, 2, 8), point(3, 3, 7), point(4, 4, 6)])).toBe(true);
    expect(record.tracks.train_loss?.values).toEqual([9, 8, 7, 6]);
    expect(record.seq).toBe(4);
  });

  it("keeps what comes in before the server's part is there, and only what is newer", () => {
    const record = new RunRecord("a");
    record.add([point(4, 4, 6), point(5, 5, 5)]);
    expect(record.loaded).toBe(false);
    record.begin({ seq: 4, tracks: { train_loss: { steps: [4], times: [1004], values: [6] } }, notes: [] });
    expect(record.tracks.train_loss?.values).toEqual([6, 5]);
  });

  it("begins also with a run that has nothing to tell yet", () => {
    const record = new RunRecord("a");
    record.begin({ seq: -1, tracks: {}, notes: [] });
    record.add([point(0, 1, 9)]);
    expect(record.tracks.train_loss?.values).toEqual([9]);
  });

  it("shows a NaN as a gap, not as a number", () => {
    const record = new RunRecord("a");
    record.begin({ seq: 0, tracks: {}, notes: [] });
    record.add([point(1, 1, 5), point(2, 2, "NaN"), point(3, 3, "Infinity")]);
    expect(record.tracks.train_loss?.values).toEqual([5, null, null]);
  });

  it("asks for a new beginning when a run has gone back to a checkpoint", () => {
    const record = new RunRecord("a");
    record.begin({ seq: 1, tracks: { train_loss: { steps: [50], times: [1001], values: [9] } }, notes: [] });
    expect(record.add([point(60, 31, 8)])).toBe(false);
  });
});
