/** What happens to the token in each box, in a few words: for the box itself. */
import type { Walk } from "@/api/decoder";
import { percent, word } from "@/components/model/visible";
import type { BoxId } from "./boxes";
import { amount, fixed, whole } from "./figures";

export function liveLine(id: BoxId, walk: Walk): string | null {
  switch (id) {
    case "token":
      return `length ${fixed(walk.token_vector.norm, 2)}`;
    case "position":
      return walk.position_vector && `length ${fixed(walk.position_vector.norm, 2)}`;
    case "norm1":
    case "norm2":
    case "final_norm": {
      const step = walk[id];
      return step && `length ${fixed(step.before.norm, 2)} → ${fixed(step.after.norm, 2)}`;
    }
    case "attention": {
      if (!walk.attention) return null;
      const weights = walk.attention.weights.map(amount);
      const at = weights.indexOf(Math.max(...weights));
      return at < 0 ? null : `head ${walk.head}: ${percent(weights[at] ?? 0)} “${word(walk.tokens[at]?.text ?? "")}”`;
    }
    case "feed_forward":
      return `${whole(walk.feed_forward.active)} of ${whole(walk.feed_forward.n_units)} units active`;
    case "add1":
    case "add2": {
      const sum = id === "add1" ? walk.attention_adds : walk.feed_forward_adds;
      return sum && `length ${fixed(sum.before, 2)} → ${fixed(sum.after, 2)}`;
    }
    case "block":
      return `length ${fixed(walk.block_before.norm, 2)} → ${fixed(walk.block_after.norm, 2)}`;
    case "head": {
      const best = walk.candidates[0];
      return best ? `“${word(best.text)}” ${percent(best.probability)}` : null;
    }
  }
}
