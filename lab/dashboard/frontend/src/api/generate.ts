/** Text from a model, token by token. */
import { errorOf, WRITE_HEADERS } from "./client";
import { isWorthWaiting, pause } from "./patience";
import type { components } from "./schema";
import { eventsOf } from "./sse";

type Models = components["schemas"];

export type StartEvent = Models["StartEvent"];
export type TokenEvent = Models["TokenEvent"];
export type EndEvent = Models["EndEvent"];
export type GenerationEvent = StartEvent | TokenEvent | EndEvent | Models["ErrorEvent"];
export type Order = Partial<Models["Generate"]> & { checkpoint: string };

/** The events of a generation, as they happen. To abort `signal` stops the writing on the server, too. */
export async function* generate(order: Order, signal: AbortSignal): AsyncGenerator<GenerationEvent> {
  const ask = () =>
    fetch("/api/generate", {
      method: "POST",
      headers: { "content-type": "application/json", ...WRITE_HEADERS },
      body: JSON.stringify(order),
      signal,
    });
  let response = await ask();
  for (let times = 0; isWorthWaiting(response.status, times); times++) {
    await new Promise((resolve) => setTimeout(resolve, pause(times)));
    response = await ask(); // which throws if `signal` is aborted
  }
  if (!response.ok) throw await errorOf(response);
  if (!response.body) throw new Error("The answer has no body");
  for await (const event of eventsOf(response.body)) yield event as GenerationEvent;
}
