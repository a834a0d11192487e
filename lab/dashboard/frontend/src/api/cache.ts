/** How long answers count as fresh, and what is tried again. */
import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./errors";
import { isWorthWaiting, pause } from "./patience";

export const cache = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // What the server has refused, it refuses again, unless it was busy; what did not reach it may reach it now.
      retry: (count, error) =>
        error instanceof ApiError && error.status < 500 ? isWorthWaiting(error.status, count) : count < 2,
      retryDelay: pause,
    },
  },
});
