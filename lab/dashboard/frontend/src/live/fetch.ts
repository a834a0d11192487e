/** A run's record from the server: its curves, thinned, and what was noted beside them. */
import { api, data } from "@/api/client";
import { finite, isNote, type Fetched, type Note, type RunEvent } from "./record";

/** Points of each curve to begin with; what comes in live is added to them one by one. */
const POINTS = 3000;
const PAGE = 2000;

export async function fetchRecord(run: string): Promise<Fetched> {
  const path = { run_id: run };
  const { seq, series } = await data(
    api.GET("/api/runs/{run_id}/metrics", { params: { path, query: { points: POINTS } } }),
  );
  const tracks = Object.fromEntries(
    Object.entries(series).map(([name, { steps, times, values, total }]) => [
      name,
      { steps, times, values: values.map(finite), total },
    ]),
  );
  // After the curves, so that nothing is missing between the two: what is newer comes over the live connection.
  const notes = (await fetchNotes(run)).filter((note) => note.seq <= seq);
  return { seq, tracks, notes };
}

async function fetchNotes(run: string): Promise<Note[]> {
  const notes: Note[] = [];
  for (let after = -1; ;) {
    const page = await data(
      api.GET("/api/runs/{run_id}/events", {
        params: { path: { run_id: run }, query: { after, limit: PAGE, notes: true } },
      }),
    );
    notes.push(...(page.events as RunEvent[]).filter(isNote));
    if (!page.more) return notes;
    after = page.last;
  }
}
