/** One run as far as this page knows it: what was fetched, and what has come in since. No network here, no React. */
import { downsample } from "@/series/points";
import { soon } from "./pace";

/** A line of the run's event log. */
export interface RunEvent {
  seq: number;
  time: number;
  kind: string;
  step: number;
  [field: string]: unknown;
}

/** The points of one metric, in their order. null: not a finite number. */
export interface Track {
  steps: number[];
  times: number[];
  values: (number | null)[];
  /** How many points were logged, those among them that thinning has left out. Not told: as many as are here. */
  total?: number;
}

/** Something that happened at a step: a sample, a checkpoint, an alert, a change of state. */
export interface Note extends RunEvent {
  kind: (typeof NOTE_KINDS)[number];
}

/** What the server knows up to `seq`. */
export interface Fetched {
  seq: number;
  tracks: Record<string, Track>;
  notes: Note[];
}

const NOT_METRICS = new Set(["seq", "time", "kind", "step"]);
export const NOTE_KINDS = ["sample", "checkpoint", "alert", "state"] as const;
/** Points of a track that are held; beyond, it is thinned to half of that, peaks and dips kept. */
const HELD_POINTS = 40_000;

export class RunRecord {
  tracks: Record<string, Track> = {};
  notes: Note[] = [];
  /** The last event that is in here; -1: none yet. */
  seq = -1;
  /** Has the server's part been fetched? It may have been empty: a run that waits has nothing to tell. */
  private begun = false;
  /** The last step that anything happened at. */
  step = 0;
  /** Counts changes, so that a reader knows when to look again. */
  version = 0;
  /** The version that watchers were last told of. */
  drawn = 0;
  /** Why the server's part could not be fetched; null: no trouble. */
  error: unknown = null;
  private waiting: RunEvent[] = [];
  private readonly watchers = new Set<() => void>();

  constructor(readonly run: string) {}

  /** Is there anything to show yet? */
  get loaded(): boolean {
    return this.begun || this.error !== null;
  }

  /** Seconds since 1970 at the first thing that is known of the run. */
  get began(): number | null {
    const times = [...Object.values(this.tracks).map(({ times }) => times[0]), this.notes[0]?.time].filter(
      (time) => time !== undefined,
    );
    return times.length > 0 ? Math.min(...times) : null;
  }

  /** From how many tokens were seen at a step; null before the first training point. */
  get tokensPerStep(): number | null {
    const track = this.tracks.tokens_seen;
    const step = track?.steps.at(-1);
    const tokens = track?.values.at(-1);
    return step && tokens ? tokens / step : null;
  }

  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  fail(error: unknown): void {
    this.error = error;
    this.changed();
  }

  /** Begins anew with what the server has sent; keeps what has come in meanwhile and is newer. */
  begin({ seq, tracks, notes }: Fetched): void {
    this.tracks = { ...tracks };
    this.notes = [...notes];
    this.begun = true;
    this.seq = seq;
    this.step = Math.max(
      0,
      ...notes.map(({ step }) => step),
      ...Object.values(tracks).map(({ steps }) => steps.at(-1) ?? 0),
    );
    this.error = null;
    const waiting = this.waiting;
    this.waiting = [];
    this.add(waiting);
    this.changed();
  }

  /**
   * Takes in new events. Those that are known are left out, so that none counts twice. Numbers may jump: a run that went
   * on in its folder counts on above all that was there.
   *
   * @returns false if the run has gone back to an earlier step: what came after that step is no longer true, and `begin`
   * is needed.
   */
  add(events: RunEvent[]): boolean {
    if (!this.begun) {
      this.waiting.push(...events);
      return true;
    }
    for (const event of events) {
      if (event.seq <= this.seq) continue;
      if (event.step < this.step) {
        this.waiting = events.filter(({ seq }) => seq >= event.seq);
        return false;
      }
      this.step = event.step;
      this.seq = event.seq;
      if (event.kind === "metrics") this.addMetrics(event);
      else if (isNote(event)) this.notes = [...this.notes, event];
      this.changed();
    }
    return true;
  }

  private changed(): void {
    this.version += 1;
    soon(this.tell);
  }

  private readonly tell = (): void => {
    this.drawn = this.version;
    this.watchers.forEach((watcher) => watcher());
  };

  private addMetrics(event: RunEvent): void {
    for (const [name, value] of Object.entries(event)) {
      if (NOT_METRICS.has(name)) continue;
      const track = (this.tracks[name] ??= { steps: [], times: [], values: [] });
      track.total = totalOf(track) + 1;
      track.steps.push(event.step);
      track.times.push(event.time);
      track.values.push(finite(value));
      if (track.steps.length > HELD_POINTS) this.tracks[name] = thinned(track, HELD_POINTS / 2);
    }
  }
}

/** The number, or null for what is none: NaN and the infinities arrive by name. */
export function finite(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

export function isNote(event: RunEvent): event is Note {
  return NOTE_KINDS.some((kind) => kind === event.kind);
}

/** How many points of a track were logged. */
export function totalOf({ steps, total }: Track): number {
  return total ?? steps.length;
}

function thinned({ total, steps, times, values }: Track, limit: number): Track {
  const order = steps.map((_, at) => at);
  const kept = downsample({ x: order, y: values }, limit).x;
  return {
    total: total ?? steps.length,
    steps: kept.map((at) => steps[at] as number),
    times: kept.map((at) => times[at] as number),
    values: kept.map((at) => values[at] ?? null),
  };
}
