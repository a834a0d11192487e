import { MantineProvider } from "@mantine/core";
import "@mantine/core/styles.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router";
import { cache } from "@/api/cache";
import { LiveProvider } from "@/live/LiveProvider";
import { router } from "@/routes";
import "@/theme/page.css";
import { theme, variables } from "@/theme/theme";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <QueryClientProvider client={cache}>
        <LiveProvider>
          {/* No transitions: a field whose value is in the address would be put back to the one before at each key. */}
          <RouterProvider router={router} useTransitions={false} />
        </LiveProvider>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
