import { Group, NativeSelect, Switch, Text } from "@mantine/core";
import { useState } from "react";
import type { AttentionSteps, Structure, Walk } from "@/api/decoder";
import { percent, word } from "@/components/model/visible";
import { amount, fixed, whole } from "./figures";
import classes from "./Numbers.module.css";
import { OneScore } from "./OneScore";
import { Described, Sums, Vector } from "./Vector";

interface Props {
  walk: Walk;
  model: Structure;
  onHead: (head: number) => void;
}

const STAGES: Record<string, string> = {
  projected: "as the matrix makes it",
  normed: "normed",
  turned: "turned by its position",
};
const FEW = 3;

/** One query in one head, step by step, with numbers that one can follow. */
export function AttentionNumbers({ walk, model, onHead }: Props) {
  const [all, setAll] = useState(false);
  const [wanted, setWanted] = useState<number | null>(null);
  const steps = walk.attention;
  if (!steps) return <Text size="sm">This attention takes steps of its own, which cannot be seen from outside.</Text>;
  const { position, tokens, head } = walk;
  const weights = steps.weights.map(amount);
  const best = weights.indexOf(Math.max(...weights));
  const other = wanted !== null && steps.visible[wanted] ? wanted : Math.max(best, 0);
  const name = (at: number) => `“${word(tokens[at]?.text ?? "")}”`;
  const length = Math.sqrt(steps.query.reduce<number>((sum, value) => sum + amount(value) ** 2, 0));
  return (
    <>
      <Group gap="md" mb="md" align="flex-end">
        <NativeSelect
          size="xs"
          label="Head"
          value={String(head)}
          onChange={(event) => onHead(Number(event.currentTarget.value))}
          data={Array.from({ length: model.n_heads }, (_, at) => ({ value: String(at), label: `Head ${at}` }))}
        />
        <Switch size="sm" label="All numbers" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
      </Group>
      <ol className={classes.steps}>
        <li>
          <h4>The query of {name(position)}: what it looks for</h4>
          {steps.stages.map((stage) => (
            <div key={stage.name}>
              <Text size="xs" c="dimmed" component="div">
                {STAGES[stage.name] ?? stage.name}
              </Text>
              <Vector values={stage.vector} all={all} />
            </div>
          ))}
          <Text size="sm" mt={4}>
            {whole(steps.query.length)} numbers, length {fixed(length)}.
          </Text>
        </li>
        <li>
          <h4>It meets the keys: products, scores, weights</h4>
          <Text size="sm" c="dimmed" mb={4}>
            Each product is divided by √{steps.query.length} = {fixed(Math.sqrt(steps.query.length))}; softmax makes
            weights of the scores. They sum to {fixed(weights.reduce((sum, one) => sum + one, 0))}.
            {steps.key_head !== head && ` Head ${head} shares the keys and values of key head ${steps.key_head}.`}
          </Text>
          <KeyTable walk={walk} steps={steps} all={all} other={other} onChoose={setWanted} />
        </li>
        <li>
          <h4>
            One of them by hand: {name(position)} meets {name(other)}
          </h4>
          <OneScore steps={steps} other={other} all={all} />
        </li>
        <li>
          <h4>The values, weighted: what it takes home</h4>
          <ValueTable walk={walk} steps={steps} />
          <Text size="sm" mt={6}>
            The sum, {whole(steps.context.length)} numbers:
          </Text>
          <Vector values={steps.context} all={all} />
        </li>
        <li>
          <h4>{model.n_heads === 1 ? "The last matrix" : `All ${model.n_heads} heads, mixed by the last matrix`}</h4>
          <Described name="What attention adds to the stream" numbers={steps.output} />
        </li>
      </ol>
    </>
  );
}

interface KeyProps {
  walk: Walk;
  steps: AttentionSteps;
  all: boolean;
  other: number;
  onChoose: (at: number) => void;
}

function KeyTable({ walk, steps, all, other, onChoose }: KeyProps) {
  const { tokens, position } = walk;
  const later = tokens.length - 1 - position;
  const head = ["token", "key", "product", "score", ...(steps.bias ? ["by distance"] : []), "weight"];
  return (
    <>
      <Sums label="Keys, products, scores and weights" head={head}>
        {tokens.slice(0, position + 1).map(({ text }, at) => (
          <tr key={at} data-mark={at === other || undefined} data-testid="key-row">
            <th scope="row">
              <button
                type="button"
                className={classes.pick}
                aria-pressed={at === other}
                disabled={!steps.visible[at]}
                onClick={() => onChoose(at)}
              >
                {at} {word(text)}
              </button>
            </th>
            <td style={{ textAlign: "left", whiteSpace: all ? "normal" : "nowrap", minWidth: all ? 260 : undefined }}>
              {all ? (
                <Vector values={steps.keys[at] ?? []} all />
              ) : (
                (steps.keys[at] ?? []).slice(0, FEW).map((value) => `${fixed(value, 2)}  `)
              )}
            </td>
            <td>{fixed(steps.products[at] ?? 0)}</td>
            <td>{steps.visible[at] ? fixed(steps.scores[at] ?? 0) : "hidden"}</td>
            {steps.bias && <td>{steps.visible[at] ? fixed(steps.bias[at] ?? 0) : ""}</td>}
            <td>{percent(steps.weights[at] ?? 0)}</td>
          </tr>
        ))}
      </Sums>
      <Text size="xs" c="dimmed" mt={4}>
        {later > 0
          ? `The mask hides the ${later === 1 ? "token" : `${later} tokens`} after it: a score of −∞, and so a weight of 0. `
          : "No token comes after it, so the mask hides none. "}
        Choose a token to compute its weight by hand.
      </Text>
    </>
  );
}

const MOST = 8;

/** The tokens that matter most, with their shares of the first numbers. */
function ValueTable({ walk, steps }: { walk: Walk; steps: AttentionSteps }) {
  const ranked = steps.weights
    .map((weight, at) => ({ at, weight: amount(weight) }))
    .filter(({ at }) => steps.visible[at])
    .sort((one, two) => two.weight - one.weight);
  const columns = Array.from({ length: Math.min(FEW, steps.context.length) }, (_, index) => index);
  const share = ({ at, weight }: { at: number; weight: number }, index: number) =>
    weight * amount(steps.values[at]?.[index] ?? 0);
  const rest = ranked.slice(MOST);
  return (
    <Sums
      label="Values, weighted"
      head={["token", "weight", ...columns.map((index) => `× value ${index}`), ...columns.map((index) => `= ${index}`)]}
    >
      {ranked.slice(0, MOST).map((one) => (
        <tr key={one.at}>
          <th scope="row">
            {one.at} {word(walk.tokens[one.at]?.text ?? "")}
          </th>
          <td>{fixed(one.weight)}</td>
          {columns.map((index) => (
            <td key={index}>{fixed(steps.values[one.at]?.[index] ?? 0)}</td>
          ))}
          {columns.map((index) => (
            <td key={index}>{fixed(share(one, index))}</td>
          ))}
        </tr>
      ))}
      {rest.length > 0 && (
        <tr>
          <th scope="row">{rest.length} more</th>
          <td>{fixed(rest.reduce((sum, { weight }) => sum + weight, 0))}</td>
          {columns.map((index) => (
            <td key={index} />
          ))}
          {columns.map((index) => (
            <td key={index}>{fixed(rest.reduce((sum, one) => sum + share(one, index), 0))}</td>
          ))}
        </tr>
      )}
      <tr data-mark>
        <th scope="row">sum</th>
        <td>{fixed(ranked.reduce((sum, { weight }) => sum + weight, 0))}</td>
        {columns.map((index) => (
          <td key={index} />
        ))}
        {columns.map((index) => (
          <td key={index}>{fixed(steps.context[index] ?? 0)}</td>
        ))}
      </tr>
    </Sums>
  );
}
