/** What the server says while it happens: one connection for the whole page, and who listens to it. */
import type { RunSummary, ServerMessage } from "@/api/types";
import { askAccess } from "@/api/access";
import { RunRecord, type Fetched, type RunEvent } from "./record";
import { Socket, type ConnectionState } from "./socket";

/** Who is told what. */
export interface Listeners {
  onSnapshot: (runs: RunSummary[]) => void;
  onRun: (run: RunSummary) => void;
  onRemoved: (run: string) => void;
  onListChanged: () => void;
  onEvents: (run: string, events: RunEvent[]) => void;
}

/** Records of runs that nobody looks at any more, kept for those who come back. */
const KEPT_RECORDS = 24;
const SAY_AFTER = 100; // milliseconds

export class LiveStore {
  private state: ConnectionState = "connecting";
  private readonly stateWatchers = new Set<() => void>();
  private readonly eventWatchers = new Set<(run: string, events: RunEvent[]) => void>();
  private readonly records = new Map<string, RunRecord>();
  private readonly followers = new Map<RunRecord, number>();
  private readonly fetching = new Set<RunRecord>();
  /** Runs that are on the screen, and by how many parts of it: the server tells of no others. */
  private readonly shown = new Map<string, number>();
  private saying: number | undefined;
  private socket: Socket | null = null;

  constructor(
    private readonly fetchRecord: (run: string) => Promise<Fetched>,
    private readonly listeners: Listeners,
  ) {}

  start(): void {
    this.socket = new Socket({
      address: () => `${window.location.protocol === "https:" ? "wss" : "ws"}://${window.location.host}/api/ws`,
      // Exactly what is missing since last time; of runs without a record, what comes from now on.
      greeting: () => ({ type: "since", runs: this.known(), shown: [...this.shown.keys()] }),
      onMessage: (message) => this.receive(message as ServerMessage),
      onState: (state) => this.become(state),
      // A refused handshake looks like a server that is away: only a question tells the two apart.
      isWelcome: async () => ((await askAccess()) ?? "right") === "right",
    });
    window.addEventListener("online", this.socket.hurry);
    document.addEventListener("visibilitychange", this.socket.hurry);
  }

  /** Tries now what was to be tried a little later. */
  readonly hurry = (): void => this.socket?.hurry();

  stop(): void {
    if (!this.socket) return;
    window.removeEventListener("online", this.socket.hurry);
    document.removeEventListener("visibilitychange", this.socket.hurry);
    this.socket.close();
    this.socket = null;
  }

  readonly connection = (): ConnectionState => this.state;

  readonly watchConnection = (watcher: () => void): (() => void) => {
    this.stateWatchers.add(watcher);
    return () => this.stateWatchers.delete(watcher);
  };

  /** Calls `watcher` for every event of every run, as it comes in. */
  readonly watchEvents = (watcher: (run: string, events: RunEvent[]) => void): (() => void) => {
    this.eventWatchers.add(watcher);
    return () => this.eventWatchers.delete(watcher);
  };

  /** What is known of a run; the same object for as long as anybody follows it. */
  record(run: string): RunRecord {
    let record = this.records.get(run);
    if (!record) {
      record = new RunRecord(run);
      this.records.set(run, record);
    }
    return record;
  }

  /** Hears of these runs from now on, until the function that comes back is called. */
  show(runs: string[]): () => void {
    for (const run of runs) this.shown.set(run, (this.shown.get(run) ?? 0) + 1);
    this.saySoon();
    return () => {
      for (const run of runs) {
        const rest = (this.shown.get(run) ?? 1) - 1;
        if (rest > 0) this.shown.set(run, rest);
        else this.shown.delete(run);
      }
      this.saySoon();
    };
  }

  /** Scrolling through a list changes what is shown many times a second. */
  private saySoon(): void {
    this.saying ??= window.setTimeout(() => {
      this.saying = undefined;
      this.socket?.send({ type: "since", runs: {}, shown: [...this.shown.keys()] });
    }, SAY_AFTER);
  }

  /** Fetches the record if need be, and keeps it; until the function that comes back is called. */
  follow(record: RunRecord): () => void {
    this.followers.set(record, (this.followers.get(record) ?? 0) + 1);
    if (!record.loaded || record.error !== null) void this.fetch(record);
    return () => {
      const rest = (this.followers.get(record) ?? 1) - 1;
      if (rest > 0) this.followers.set(record, rest);
      else this.followers.delete(record);
      this.forgetSome();
    };
  }

  /** Asks for the whole record anew. */
  async fetch(record: RunRecord): Promise<void> {
    if (this.fetching.has(record)) return;
    this.fetching.add(record);
    try {
      record.begin(await this.fetchRecord(record.run));
    } catch (error) {
      record.fail(error);
    } finally {
      this.fetching.delete(record);
    }
  }

  private receive(message: ServerMessage): void {
    switch (message.type) {
      case "hello":
        break;
      case "snapshot":
        this.listeners.onSnapshot(message.runs);
        this.mendAll();
        break;
      case "run":
        this.listeners.onRun(message.run);
        break;
      case "removed":
        this.records.delete(message.run);
        this.listeners.onRemoved(message.run);
        break;
      case "list":
        this.listeners.onListChanged();
        break;
      case "events":
        this.take(message.run, message.events as RunEvent[]);
        break;
      case "gap": {
        // It was more than could be sent: what the record needs is fetched, thinned, in one piece.
        const record = this.records.get(message.run);
        if (record && record.seq < message.upto) void this.fetch(record);
        break;
      }
    }
  }

  private take(run: string, events: RunEvent[]): void {
    const record = this.records.get(run);
    if (record && !record.add(events)) void this.fetch(record);
    this.listeners.onEvents(run, events);
    this.eventWatchers.forEach((watcher) => watcher(run, events));
  }

  /** After a reconnect: what could not be fetched while the server was away. */
  private mendAll(): void {
    for (const record of this.followers.keys()) if (record.error !== null) void this.fetch(record);
  }

  private known(): Record<string, number> {
    return Object.fromEntries(
      [...this.records.values()]
        .filter(({ loaded, error }) => loaded && error === null)
        .map(({ run, seq }) => [run, seq]),
    );
  }

  private forgetSome(): void {
    for (const [run, record] of this.records) {
      if (this.records.size <= KEPT_RECORDS) return;
      if (!this.followers.has(record)) this.records.delete(run);
    }
  }

  private become(state: ConnectionState): void {
    if (state === this.state) return;
    this.state = state;
    this.stateWatchers.forEach((watcher) => watcher());
  }
}
