/** Server-sent events out of a stream that may be cut anywhere. https://html.spec.whatwg.org/multipage/server-sent-events.html */

/** Takes text as it arrives, and gives the data of each event that is whole. */
export class EventParser {
  private rest = "";

  push(text: string): string[] {
    // A "\r" at the very end may be the first half of "\r\n": it waits for what follows.
    const all = this.rest + text;
    const held = all.endsWith("\r") ? "\r" : "";
    const blocks = all
      .slice(0, all.length - held.length)
      .replaceAll(/\r\n?/g, "\n")
      .split("\n\n");
    this.rest = (blocks.pop() ?? "") + held;
    return blocks.map(dataOf).filter((found) => found !== null);
  }
}

function dataOf(block: string): string | null {
  const lines = block.split("\n").filter((line) => line === "data" || line.startsWith("data:"));
  return lines.length > 0 ? lines.map((line) => line.slice(5).replace(/^ /, "")).join("\n") : null;
}

/** The events of an answer, each read as JSON. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  const parser = new EventParser();
  // Decoded as a stream: a character may be cut in two as well.
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const event of parser.push(value)) yield JSON.parse(event);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
