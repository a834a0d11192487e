import { useMemo } from "react";
import { useReadings } from "@/api/readings";
import { totalOf, type Note, type RunRecord } from "@/live/record";

/**
 * The alerts of a run: those that it has told, or, of one from before there were any, those that its figures give: they
 * have no time.
 */
export function useAlerts(run: string, record: RunRecord): Note[] {
  const { notes } = record;
  const { data: readings } = useReadings(run, record.tracks.val_loss ? totalOf(record.tracks.val_loss) : 0);
  return useMemo(() => {
    const told = notes.filter(({ kind }) => kind === "alert");
    if (told.length > 0 || !readings) return told;
    return readings.alerts.map((one, at) => ({ ...one, kind: "alert" as const, seq: -1 - at, time: NaN }));
  }, [notes, readings]);
}
