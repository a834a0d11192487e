import { createBrowserRouter, Navigate } from "react-router";
import { keepPace } from "@/address/pace";
import { PageHead } from "@/components/PageHead";
import { LoadedPage } from "@/shell/LoadedPage";
import { PAGES } from "@/shell/pages";
import { Shell } from "@/shell/Shell";

// A token in the address is one that the server did not take: it takes the right one out.
const address = new URL(window.location.href);
if (address.searchParams.has("token")) {
  address.searchParams.delete("token");
  window.history.replaceState(null, "", address);
}

keepPace();

// Each page is a file of its own in the build: the first one does not wait for the other eight.
export const router = createBrowserRouter([
  {
    element: <Shell />,
    children: [
      { index: true, element: <Navigate to="/runs" replace /> },
      ...PAGES.map(({ path, load }) => ({ path, element: <LoadedPage key={path} path={path} load={load} /> })),
      { path: "*", element: <PageHead title="There is no such page" lead="Choose one from the navigation." /> },
    ],
  },
]);
