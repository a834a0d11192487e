/** What the server says while it happens: one connection for the whole page, and who listens to it. */
import { Socket, type ConnectionState } from "./socket";

export class LiveStore {
  private state: ConnectionState = "connecting";
  private readonly watchers = new Set<() => void>();
  private socket: Socket | null = null;

  start(): void {
    this.socket = new Socket({
      address: () => `${window.location.protocol === "https:" ? "wss" : "ws"}://${window.location.host}/api/ws`,
      greeting: () => ({}),
      onMessage: () => {},
      onState: (state) => this.become(state),
    });
    window.addEventListener("online", this.socket.hurry);
    document.addEventListener("visibilitychange", this.socket.hurry);
  }

  stop(): void {
    if (!this.socket) return;
    window.removeEventListener("online", this.socket.hurry);
    document.removeEventListener("visibilitychange", this.socket.hurry);
    this.socket.close();
    this.socket = null;
  }

  readonly connection = (): ConnectionState => this.state;

  readonly watchConnection = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  private become(state: ConnectionState): void {
    if (state === this.state) return;
    this.state = state;
    this.watchers.forEach((watcher) => watcher());
  }
}
