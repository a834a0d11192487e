import { useComputedColorScheme } from "@mantine/core";

/** Is the page dark right now? For what is drawn on a canvas, which CSS does not reach. */
export function useDark(): boolean {
  return useComputedColorScheme("light", { getInitialValueInEffect: false }) === "dark";
}
