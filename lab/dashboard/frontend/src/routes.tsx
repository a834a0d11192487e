import { lazy } from "react";
import { createBrowserRouter, Navigate } from "react-router";
import { PageHead } from "@/components/PageHead";
import { PAGES } from "@/shell/pages";
import { Shell } from "@/shell/Shell";

// Each page is a file of its own in the build: the first one does not wait for the other eight.
export const router = createBrowserRouter([
  {
    element: <Shell />,
    children: [
      { index: true, element: <Navigate to="/runs" replace /> },
      ...PAGES.map(({ path, load }) => {
        const Page = lazy(load);
        return { path, element: <Page /> };
      }),
      { path: "*", element: <PageHead title="There is no such page" lead="Choose one from the navigation." /> },
    ],
  },
]);
