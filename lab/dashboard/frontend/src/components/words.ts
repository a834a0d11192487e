/** Numbers and times as people write them. */
import type { Figure } from "@/api/types";

/** 75 as "1:15", 3675 as "1:01:15"; a day and more as "1 d 02:10"; with so many `places` behind the second. */
export function duration(seconds: number, places = 0): string {
  const told = Math.max(0, Number(seconds.toFixed(places)));
  const whole = Math.floor(told);
  const rest = places > 0 ? (told - whole).toFixed(places).slice(1) : "";
  const two = (value: number) => String(value).padStart(2, "0");
  const days = Math.floor(whole / 86_400);
  const hours = Math.floor((whole % 86_400) / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (days > 0 && places === 0) return `${days} d ${two(hours)}:${two(minutes)}`;
  const clock = hours > 0 || days > 0 ? `${hours}:${two(minutes)}` : String(minutes);
  return `${days > 0 ? `${days} d ` : ""}${clock}:${two(whole % 60)}${rest}`;
}

/** A part of a whole: 0.5 as "50%", 0.05 as "5.0%". */
export function portion(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`;
}

/** 1_500_000_000 as "1.5 GB". */
export function bytes(count: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))} ${units[unit]}`;
}

/** 17_670_400 as "17.7 million". */
export function people(count: number): string {
  if (count >= 1e9) return `${Number((count / 1e9).toPrecision(3))} billion`;
  if (count >= 1e6) return `${Number((count / 1e6).toPrecision(3))} million`;
  return count.toLocaleString("en");
}

/** A moment (seconds since 1970) as "3 minutes ago", later as a date. */
export function ago(moment: number, now = Date.now() / 1000): string {
  const seconds = now - moment;
  if (seconds < 5) return "now";
  if (seconds < 60) return `${Math.round(seconds)} s ago`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  return new Date(moment * 1000).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
}

/** A loss with three places, a dash where there is none; NaN and infinity by their names. */
export function loss(value: Figure | null | undefined): string {
  return typeof value === "number" ? value.toFixed(3) : (value ?? "–");
}

/** A count of something, or a dash. */
export function count(value: Figure | null | undefined): string {
  return typeof value === "number" ? Math.round(value).toLocaleString("en") : (value ?? "–");
}
