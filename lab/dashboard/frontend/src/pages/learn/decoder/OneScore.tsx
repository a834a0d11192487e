import { Text } from "@mantine/core";
import type { AttentionSteps } from "@/api/decoder";
import { amount, fixed } from "./figures";
import classes from "./Numbers.module.css";
import { Sums } from "./Vector";

const SHOWN = 8;

/** From a query and a key to a weight, with every number that goes into it. */
export function OneScore({ steps, other, all }: { steps: AttentionSteps; other: number; all: boolean }) {
  const query = steps.query.map(amount);
  const key = (steps.keys[other] ?? []).map(amount);
  const count = all ? query.length : Math.min(SHOWN, query.length);
  const products = query.map((one, at) => one * (key[at] ?? 0));
  const rest = products.slice(count);
  const scoreOf = (at: number) => amount(steps.scores[at] ?? 0) + amount(steps.bias?.[at] ?? 0);
  const seen = steps.visible.flatMap((visible, at) => (visible ? [scoreOf(at)] : []));
  const largest = Math.max(...seen);
  const total = seen.reduce((sum, score) => sum + Math.exp(score - largest), 0);
  const score = scoreOf(other);
  const power = Math.exp(score - largest);
  const bias = steps.bias ? steps.bias[other] : undefined;
  const lines = [
    `sum of the products  ${fixed(steps.products[other] ?? 0)}`,
    `÷ √${query.length}  ${fixed(steps.products[other] ?? 0)} ÷ ${fixed(Math.sqrt(query.length))} = ${fixed(steps.scores[other] ?? 0)}`,
    ...(bias === undefined
      ? []
      : [`by distance  ${fixed(steps.scores[other] ?? 0)} + ${fixed(bias)} = ${fixed(score)}`]),
    `e^(score − largest)  e^(${fixed(score)} − ${fixed(largest)}) = ${fixed(power)}`,
    `the same of all ${seen.length} it may see, summed  ${fixed(total)}`,
    `weight  ${fixed(power)} ÷ ${fixed(total)} = ${fixed(power / total)}`,
  ];
  return (
    <>
      <Sums label="One product, number by number" head={["", "query", "key", "query × key"]}>
        {products.slice(0, count).map((product, at) => (
          <tr key={at}>
            <th scope="row">{at}</th>
            <td>{fixed(query[at] ?? 0)}</td>
            <td>{fixed(key[at] ?? 0)}</td>
            <td>{fixed(product)}</td>
          </tr>
        ))}
        {rest.length > 0 && (
          <tr>
            <th scope="row">{rest.length} more</th>
            <td />
            <td />
            <td>{fixed(rest.reduce((sum, one) => sum + one, 0))}</td>
          </tr>
        )}
      </Sums>
      <pre className={classes.sum} data-testid="one-score">
        {lines.join("\n")}
      </pre>
      <Text size="xs" c="dimmed" mt={4}>
        Rounded to four places; the largest score is taken off first so that no power runs out of digits, which changes
        no weight.
      </Text>
    </>
  );
}
