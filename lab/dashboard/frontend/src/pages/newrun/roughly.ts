/** Seconds as one says them of what has not begun: "about 6 minutes". */
export function roughly(seconds: number): string {
  if (seconds < 10) return "a few seconds";
  if (seconds < 90) return `about ${5 * Math.round(seconds / 5)} seconds`;
  const units: [number, string, number][] = [
    [60, "minutes", 90],
    [3600, "hours", 36],
    [86_400, "days", 600],
    [365 * 86_400, "years", Infinity],
  ];
  for (const [size, name, most] of units) {
    const amount = seconds / size;
    if (amount < most) return `about ${Number(amount.toPrecision(2)).toLocaleString("en")} ${name}`;
  }
  return "longer than anybody can wait";
}
