export { Curve } from "./Curve";
export { Sample } from "./Legend";
export type { Level, Mark, Series, Tick } from "./types";
