import { describe, expect, it } from "vitest";
import { EventParser, eventsOf } from "./sse";

const SENT = 'data: {"a": 1}\n\n: a comment\n\ndata: two\ndata: lines\n\ndata: {"fox": "🦊"}\n\n';

describe("EventParser", () => {
  it("gives the same events wherever the stream is cut", () => {
    for (let cut = 0; cut <= SENT.length; cut += 1) {
      const parser = new EventParser();
      expect([...parser.push(SENT.slice(0, cut)), ...parser.push(SENT.slice(cut))]).toEqual([
        '{"a": 1}',
        "two\nlines",
        '{"fox": "🦊"}',
      ]);
    }
  });

  it("knows the line ends of every system, cut in the middle, too", () => {
    const sent = SENT.replaceAll("\n", "\r\n");
    for (let cut = 0; cut <= sent.length; cut += 1) {
      const parser = new EventParser();
      expect([...parser.push(sent.slice(0, cut)), ...parser.push(sent.slice(cut))]).toHaveLength(3);
    }
  });

  it("keeps back what is not whole yet", () => {
    const parser = new EventParser();
    expect(parser.push("data: hal")).toEqual([]);
    expect(parser.push("f\n")).toEqual([]);
    expect(parser.push("\n")).toEqual(["half"]);
  });
});

describe("eventsOf", () => {
  it("puts characters together that were cut in two", async () => {
    const bytes = new TextEncoder().encode('data: "🦊"\n\ndata: 2\n\n');
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
        controller.close();
      },
    });
    const found: unknown[] = [];
    for await (const event of eventsOf(body)) found.push(event);
    expect(found).toEqual(["🦊", 2]);
  });
});
