/** The server's routes, with the types of its own schema: `npm run types` writes schema.d.ts from openapi.json. */
import createClient, { type Middleware } from "openapi-fetch";
import { askAccess } from "./access";
import { ApiError } from "./errors";
import type { paths } from "./schema";

/** A header that another site's form cannot send: with it, a write is known to come from this page. */
export const WRITE_HEADERS = { "X-Lab": "1" };

const refuse: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(WRITE_HEADERS)) request.headers.set(name, value);
    return request;
  },
  async onResponse({ response }) {
    if (!response.ok) throw await errorOf(response);
    return response;
  },
};

export const api = createClient<paths>({ baseUrl: "/" });
api.use(refuse);

/** The error in an answer that is none, in the server's words where it has sent some. */
export async function errorOf(response: Response): Promise<ApiError> {
  if (response.status === 401) void askAccess(); // the whole page has to know
  try {
    const body: unknown = await response.json();
    if (isErrorBody(body)) return new ApiError(response.status, body.error.message, body.error.field ?? null);
  } catch {
    // Not the server's own words: a proxy's page, or nothing.
  }
  return new ApiError(response.status, `The server answered ${response.status} ${response.statusText}`.trim());
}

interface ErrorBody {
  error: { message: string; field?: string | null };
}

function isErrorBody(body: unknown): body is ErrorBody {
  if (typeof body !== "object" || body === null || !("error" in body)) return false;
  const { error } = body;
  return typeof error === "object" && error !== null && "message" in error && typeof error.message === "string";
}

/** The data of an answer; `refuse` has thrown for every other kind. */
export async function data<T>(answer: Promise<{ data?: T }>): Promise<T> {
  const { data: found } = await answer;
  return found as T;
}
