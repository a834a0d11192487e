export { Curve } from "./Curve";
export { Sample } from "./Legend";
export type { Mark, Series, Tick } from "./types";
