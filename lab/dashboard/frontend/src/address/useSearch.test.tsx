import { act, render } from "@testing-library/react";
import { createBrowserRouter, RouterProvider } from "react-router";
import { expect, it } from "vitest";
import { useSearch } from "./useSearch";

it("a change that comes before the one before it was drawn does not undo it", async () => {
  const drawn: ReturnType<typeof useSearch>[1][] = [];
  function Page() {
    drawn.push(useSearch()[1]);
    return null;
  }
  window.history.replaceState(null, "", "/?lr=1");
  render(<RouterProvider router={createBrowserRouter([{ path: "/", element: <Page /> }])} />);
  const [set] = drawn; // that of the first drawing, as a field has it whose typing has just come to rest
  for (const name of ["one", "other"]) {
    await act(async () => {
      set?.((params) => params.set(name, "typed"));
      await new Promise((resolve) => setTimeout(resolve, 5));
    });
  }
  expect(window.location.search).toBe("?lr=1&one=typed&other=typed");
});
