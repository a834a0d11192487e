/** Files of the lab whose code this page shows, as they were when it was built. */
import alibi from "../../../../../parts/alibi.py?raw";
import attention from "../../../../../parts/attention.py?raw";
import groupedQuery from "../../../../../parts/grouped_query.py?raw";
import postNorm from "../../../../../parts/post_norm.py?raw";
import qkNorm from "../../../../../parts/qk_norm.py?raw";
import relu2 from "../../../../../parts/relu2.py?raw";
import rmsnorm from "../../../../../parts/rmsnorm.py?raw";
import rope from "../../../../../parts/rope.py?raw";
import slidingWindow from "../../../../../parts/sliding_window.py?raw";
import swiglu from "../../../../../parts/swiglu.py?raw";
import model from "../../../../../model.py?raw";

export const SOURCES = {
  "lab/model.py": model,
  "lab/parts/alibi.py": alibi,
  "lab/parts/attention.py": attention,
  "lab/parts/grouped_query.py": groupedQuery,
  "lab/parts/post_norm.py": postNorm,
  "lab/parts/qk_norm.py": qkNorm,
  "lab/parts/relu2.py": relu2,
  "lab/parts/rmsnorm.py": rmsnorm,
  "lab/parts/rope.py": rope,
  "lab/parts/sliding_window.py": slidingWindow,
  "lab/parts/swiglu.py": swiglu,
};

export type File = keyof typeof SOURCES;
