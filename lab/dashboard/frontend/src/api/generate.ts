/** Text from a model, token by token. */
import { errorOf, WRITE_HEADERS } from "./client";
import type { components } from "./schema";
import { eventsOf } from "./sse";

type Models = components["schemas"];

export type Started = Models["Started"];
export type Drawn = Models["Drawn"];
export type Ended = Models["Ended"];
export type Spoken = Started | Drawn | Ended | Models["Failed"];
export type Order = Partial<Models["Generate"]> & { checkpoint: string };

/** What the model says, as it says it. To abort `signal` stops the writing on the server, too. */
export async function* generate(order: Order, signal: AbortSignal): AsyncGenerator<Spoken> {
  const response = await fetch("/api/generate", {
    method: "POST",
    headers: { "content-type": "application/json", ...WRITE_HEADERS },
    body: JSON.stringify(order),
    signal,
  });
  if (!response.ok) throw await errorOf(response);
  if (!response.body) throw new Error("The answer has no body");
  for await (const event of eventsOf(response.body)) yield event as Spoken;
}
