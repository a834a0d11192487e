/** Files of the lab that cards quote a line of, as they were when this page was built; fetched when one is wanted. */
const FILES = {
  "lab/model.py": () => import("../../../../../model.py?raw"),
  "lab/tokenizer.py": () => import("../../../../../tokenizer.py?raw"),
  "lab/comparison/sides.py": () => import("../../../../../comparison/sides.py?raw"),
  "lab/comparison/verdict.py": () => import("../../../../../comparison/verdict.py?raw"),
  "lab/data/grammar.py": () => import("../../../../../data/grammar.py?raw"),
  "lab/inference/sampling.py": () => import("../../../../../inference/sampling.py?raw"),
  "lab/inspection/internals.py": () => import("../../../../../inspection/internals.py?raw"),
  "lab/interchange/pretrained.py": () => import("../../../../../interchange/pretrained.py?raw"),
  "lab/optim/schedules.py": () => import("../../../../../optim/schedules.py?raw"),
  "lab/parts/contract.py": () => import("../../../../../parts/contract.py?raw"),
  "lab/parts/cost.py": () => import("../../../../../parts/cost.py?raw"),
  "lab/profiling/attribution.py": () => import("../../../../../profiling/attribution.py?raw"),
  "lab/training/callbacks.py": () => import("../../../../../training/callbacks.py?raw"),
  "lab/training/distributions.py": () => import("../../../../../training/distributions.py?raw"),
  "lab/training/lr_range_test.py": () => import("../../../../../training/lr_range_test.py?raw"),
  "lab/training/memory_estimate.py": () => import("../../../../../training/memory_estimate.py?raw"),
  "lab/training/metrics.py": () => import("../../../../../training/metrics.py?raw"),
  "lab/training/module.py": () => import("../../../../../training/module.py?raw"),
};

export type Source = keyof typeof FILES;

export async function sourceOf(file: Source): Promise<string> {
  return (await FILES[file]()).default;
}
