import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { MemoryRouter } from "react-router";
import { beforeEach, expect, it, vi } from "vitest";
import type { RunSummary } from "@/api/types";
import { LiveContext } from "@/live/hooks";
import { LiveStore } from "@/live/store";
import { RunButtons } from "./RunButtons";
import { RunMenu } from "./RunMenu";

const { asked } = vi.hoisted(() => ({ asked: [] as [string, boolean][] }));

/** A server whose memory is too small, until it hears a second word. */
vi.mock("@/api/client", async () => {
  const { ApiError } = await import("@/api/errors");
  const POST = (path: string, { params }: { params: { query: { confirmed: boolean } } }) => {
    asked.push([path.replace(/.*\//, ""), params.query.confirmed]);
    const refused = new ApiError(409, "this takes 460 GB", "confirmed");
    return params.query.confirmed ? Promise.resolve({ id: "b" }) : Promise.reject(refused);
  };
  return { api: { POST }, data: (answer: unknown) => answer };
});

beforeEach(() => {
  asked.length = 0;
  window.sessionStorage.clear();
});

function show(children: ReactNode) {
  const live = new LiveStore(vi.fn(), {} as never);
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient()}>
        <LiveContext value={live}>
          <MemoryRouter>{children}</MemoryRouter>
        </LiveContext>
      </QueryClientProvider>
    </MantineProvider>,
  );
}

const run = (actions: RunSummary["actions"]) =>
  ({
    id: "a",
    name: "one",
    path: "outputs/one",
    tags: [],
    state: "stopped",
    step: 3,
    saved_step: null,
    actions,
  }) as unknown as RunSummary;

it.each(["again", "resume"] as const)("%s says a second word where the memory is too small", async (what) => {
  show(<RunButtons run={run([what])} />);
  fireEvent.click(screen.getByTestId(`button-${what}`));
  await screen.findByText(/This takes 460 GB\./);
  fireEvent.click(screen.getByRole("button", { name: "Leave it" }));
  await waitFor(() => expect(screen.queryByText(/460 GB/)).toBeNull());
  expect(asked).toEqual([[what, false]]);
  fireEvent.click(screen.getByTestId(`button-${what}`));
  fireEvent.click(await screen.findByRole("button", { name: "Start it all the same" }));
  await waitFor(() => expect(asked.at(-1)).toEqual([what, true]));
});

it("so does the menu of a list", async () => {
  show(<RunMenu run={run(["again"])} />);
  fireEvent.click(screen.getByRole("button", { name: "More about one" }));
  fireEvent.click(await screen.findByRole("menuitem", { name: "Start again" }));
  fireEvent.click(await screen.findByRole("button", { name: "Start it all the same" }));
  await waitFor(() => expect(asked.at(-1)).toEqual(["again", true]));
});
