import { Button } from "@mantine/core";
import { Link } from "react-router";
import { EmptyState } from "@/components/EmptyState";

/** There is no model yet to look at. */
export function NoCheckpoints() {
  return (
    <EmptyState
      title="No model to look at yet"
      action={
        <Button component={Link} to="/new">
          New run
        </Button>
      }
    >
      A run keeps its weights only with <code>save=true</code>: switch it on under New run, or press Save now while a
      run trains.
    </EmptyState>
  );
}
