import { Button, Group, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useLog } from "@/api/runs";
import { ErrorNote } from "@/components/ErrorNote";
import { EmptyState } from "@/components/EmptyState";
import classes from "./Log.module.css";

/** What the training process has printed; follows the end while it grows, unless somebody has scrolled up. */
export function Log({ run, alive }: { run: string; alive: boolean }) {
  const { data: text, error, refetch } = useLog(run, alive);
  const box = useRef<HTMLPreElement>(null);
  const [following, setFollowing] = useState(true);
  useEffect(() => {
    if (following && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text, following]);
  if (error) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  if (text === undefined) return null;
  if (text === "") {
    return (
      <EmptyState title="No log">
        Only a run that was started from here has its output kept. One from a terminal prints it there.
      </EmptyState>
    );
  }
  return (
    <div>
      <pre
        ref={box}
        className={classes.log}
        tabIndex={0}
        role="region"
        aria-label="Log"
        data-testid="log"
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) =>
          setFollowing(scrollHeight - scrollTop - clientHeight < 24)
        }
      >
        {text}
      </pre>
      <Group justify="flex-end" mt={4} mih={28}>
        {!following && (
          <Button size="compact-sm" variant="default" onClick={() => setFollowing(true)}>
            To the end
          </Button>
        )}
        {following && alive && (
          <Text size="sm" c="dimmed">
            following
          </Text>
        )}
      </Group>
    </div>
  );
}
