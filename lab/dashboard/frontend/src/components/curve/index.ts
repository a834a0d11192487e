export { Curve, Sample, type Mark, type Series, type Tick } from "./Curve";
