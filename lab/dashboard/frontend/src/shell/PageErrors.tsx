import { Component, type ReactNode } from "react";
import { ErrorNote } from "@/components/ErrorNote";

interface State {
  error: unknown;
}

/** Keeps a page's mistake on that page: the navigation goes on working. */
export class PageErrors extends Component<{ children: ReactNode }, State> {
  state: State = { error: null };

  static getDerivedStateFromError(error: unknown): State {
    return { error };
  }

  render() {
    if (this.state.error === null) return this.props.children;
    return (
      <ErrorNote
        title="This page could not be drawn"
        error={this.state.error}
        onRetry={() => this.setState({ error: null })}
      />
    );
  }
}
