/** A WebSocket that comes back by itself, and says whether it is there. */

export type ConnectionState = "connecting" | "live" | "offline";

interface Wishes {
  address: () => string;
  /** The first words after each connecting: what is missing since last time. */
  greeting: () => unknown;
  onMessage: (message: unknown) => void;
  onState: (state: ConnectionState) => void;
  /** Asked after each failure: whether it makes sense to try again. If not, it is asked again a little later. */
  isWelcome: () => Promise<boolean>;
}

const FIRST_WAIT = 400;
const LONGEST_WAIT = 3_000;
/** Failures in a row after which the page says that the server is not reached. */
const PATIENCE = 3;

export class Socket {
  private socket: WebSocket | null = null;
  private timer: number | undefined;
  private failures = 0;
  private closed = false;

  constructor(private readonly wishes: Wishes) {
    this.connect();
  }

  /** Gives up waiting and tries now: the network has come back, or somebody looks at the page again. */
  readonly hurry = (): void => {
    if (this.socket === null && !this.closed) this.connect();
  };

  send(message: unknown): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  close(): void {
    this.closed = true;
    window.clearTimeout(this.timer);
    this.socket?.close();
  }

  private connect(): void {
    window.clearTimeout(this.timer);
    const socket = new WebSocket(this.wishes.address());
    this.socket = socket;
    if (this.failures < PATIENCE) this.wishes.onState("connecting");
    socket.onopen = () => socket.send(JSON.stringify(this.wishes.greeting()));
    socket.onmessage = (event: MessageEvent<string>) => {
      if (this.closed) return;
      this.failures = 0;
      this.wishes.onState("live");
      this.wishes.onMessage(JSON.parse(event.data));
    };
    socket.onclose = () => {
      if (this.socket !== socket || this.closed) return;
      this.socket = null;
      this.failures += 1;
      this.wishes.onState(this.failures >= PATIENCE ? "offline" : "connecting");
      // Not all pages of all people at the same moment.
      const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this.failures - 1)) * (0.75 + Math.random() / 2);
      this.wait(wait);
    };
  }

  /** Tries again after so many milliseconds, and not before the server lets anybody in. */
  private wait(milliseconds: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.tryAgain(), milliseconds);
  }

  private async tryAgain(): Promise<void> {
    const welcome = await this.wishes.isWelcome();
    if (this.socket !== null || this.closed) return; // somebody has hurried
    if (welcome) this.connect();
    else this.wait(LONGEST_WAIT);
  }
}
