import { Loader, Stack, Text } from "@mantine/core";
import { useCallback, useMemo, type ReactNode } from "react";
import type { FrameOf, ViewName, ViewOf } from "@/api/models";
import { ErrorNote } from "@/components/ErrorNote";
import type { Chosen } from "@/components/model/useChosen";
import { Scrubber } from "./Scrubber";
import type { Frames } from "./useFrames";

interface Props<Name extends ViewName> {
  found: Frames<Name>;
  chosen: Chosen;
  /** A number of each frame, for the curve above the slider. */
  measure: { name: string; of: (result: ViewOf<Name>) => number | null };
  children: (result: ViewOf<Name>, frames: FrameOf<Name>[]) => ReactNode;
}

/** What one tab shows: the scrubber, and the view of the frame it stands at. */
export function Framed<Name extends ViewName>({ found, chosen, measure, children }: Props<Name>) {
  const { frames, at, result, loading, error, retry } = found;
  const { setCheckpoint } = chosen;
  const go = useCallback(
    (index: number) => {
      const frame = frames[index];
      if (frame) setCheckpoint(frame.checkpoint);
    },
    [frames, setCheckpoint],
  );
  const { name, of } = measure;
  const values = useMemo(() => frames.map((frame) => of(frame.result)), [frames, of]);
  return (
    <Stack gap="lg">
      <Scrubber frames={frames} at={at} onGo={go} loading={loading} curve={{ values, name }} />
      {error !== null && error !== undefined && <ErrorNote error={error} onRetry={retry} />}
      {result && result.cropped > 0 && (
        <Text size="sm" c="dimmed">
          The prompt is longer than what is looked at: its first {result.cropped} tokens are left out.
        </Text>
      )}
      {result ? children(result, frames) : !error && <Loader aria-label="Asking the model" />}
    </Stack>
  );
}
