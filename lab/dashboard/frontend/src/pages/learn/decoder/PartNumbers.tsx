import { Stack, Text } from "@mantine/core";
import type { Addition, HiddenUnits, NormStep, Structure, Walk } from "@/api/decoder";
import { percent, word } from "@/components/model/visible";
import { AttentionNumbers } from "./AttentionNumbers";
import type { BoxId } from "./boxes";
import { amount, fixed, whole } from "./figures";
import { Described, Sums } from "./Vector";

interface Props {
  id: BoxId;
  walk: Walk;
  model: Structure;
  onHead: (head: number) => void;
}

const UNKNOWN = "This part is not built in a way that can be followed from outside.";

/** What a box does to the token, in numbers. */
export function PartNumbers({ id, walk, model, onHead }: Props) {
  switch (id) {
    case "token":
    case "position":
      return <EmbeddingNumbers walk={walk} />;
    case "norm1":
    case "norm2":
    case "final_norm":
      return walk[id] ? <NormNumbers step={walk[id]} /> : <Text size="sm">{UNKNOWN}</Text>;
    case "attention":
      return <AttentionNumbers walk={walk} model={model} onHead={onHead} />;
    case "add1":
    case "add2": {
      const sum = id === "add1" ? walk.attention_adds : walk.feed_forward_adds;
      return sum ? <AddNumbers sum={sum} /> : <Text size="sm">{UNKNOWN}</Text>;
    }
    case "feed_forward":
      return <UnitNumbers units={walk.feed_forward} walk={walk} />;
    case "block":
      return (
        <Stack gap="sm">
          <Described name="The stream before the layer" numbers={walk.block_before} />
          <Described name="The stream after it" numbers={walk.block_after} />
        </Stack>
      );
    case "head":
      return <HeadNumbers walk={walk} />;
  }
}

function EmbeddingNumbers({ walk }: { walk: Walk }) {
  const token = walk.tokens[walk.position];
  return (
    <Stack gap="sm">
      <Described
        name={`Row ${whole(token?.token_id ?? 0)}, “${word(token?.text ?? "")}”`}
        numbers={walk.token_vector}
      />
      {walk.position_vector && (
        <Described name={`+ row ${walk.position} of the positions`} numbers={walk.position_vector} />
      )}
      {walk.position_vector && <Described name="= the start of the stream" numbers={walk.embedded} />}
    </Stack>
  );
}

function NormNumbers({ step }: { step: NormStep }) {
  const { before, after, scale, shift, eps } = step;
  const rms = shift === null;
  // The mean of the squares is the square of the length over how many there are.
  const spread = rms
    ? Math.sqrt(amount(before.norm) ** 2 / before.size + (eps ?? 0))
    : Math.sqrt(amount(before.std) ** 2 + (eps ?? 0));
  return (
    <Stack gap="sm">
      <Described name="In" numbers={before} />
      <Described name="Out" numbers={after} />
      {scale && (
        <>
          <Text size="sm">
            {rms
              ? `out = in ÷ ${fixed(spread)} × scale, where ${fixed(spread)} is the root of the mean of the squares`
              : `out = (in − ${fixed(before.mean)}) ÷ ${fixed(spread)} × scale + shift: mean off, divided by the deviation`}
            {eps !== null && ` (with ${eps} against a division by zero)`}.
          </Text>
          <Sums label="The norm, number by number" head={["", "in", "scale", ...(rms ? [] : ["shift"]), "out"]}>
            {before.first.map((value, at) => (
              <tr key={at}>
                <th scope="row">{at}</th>
                <td>{fixed(value)}</td>
                <td>{fixed(scale[at] ?? 0)}</td>
                {shift && <td>{fixed(shift[at] ?? 0)}</td>}
                <td>{fixed(after.first[at] ?? 0)}</td>
              </tr>
            ))}
          </Sums>
        </>
      )}
    </Stack>
  );
}

function AddNumbers({ sum }: { sum: Addition }) {
  const ratio = amount(sum.added) / amount(sum.before);
  const cosine = amount(sum.cosine);
  const way = cosine > 0.3 ? "much the same way" : cosine < -0.3 ? "against it" : "across it";
  return (
    <Stack gap="xs">
      <Sums label="Lengths" head={["vector", "length"]}>
        <tr>
          <th scope="row">the stream before</th>
          <td>{fixed(sum.before)}</td>
        </tr>
        <tr>
          <th scope="row">what is added</th>
          <td>{fixed(sum.added)}</td>
        </tr>
        <tr data-mark>
          <th scope="row">the stream after</th>
          <td>{fixed(sum.after)}</td>
        </tr>
      </Sums>
      <Text size="sm">
        What is added has {fixed(ratio * 100, 0)}% of the stream&apos;s length and points {way}: the cosine between them
        is {fixed(sum.cosine)} (1: the same way, 0: across, −1: against).
      </Text>
    </Stack>
  );
}

function UnitNumbers({ units, walk }: { units: HiddenUnits; walk: Walk }) {
  return (
    <Stack gap="sm">
      {walk.norm2 && <Described name="In" numbers={walk.norm2.after} />}
      <Text size="sm">
        {whole(units.active)} of {whole(units.n_units)} hidden units are active ({percent(units.active / units.n_units)}
        ): 0.01 or more away from zero. The strongest:
      </Text>
      <Sums label="The strongest hidden units" head={["unit", "value"]}>
        {units.strongest.map((unit, at) => (
          <tr key={unit}>
            <th scope="row">{whole(unit)}</th>
            <td>{fixed(units.values[at] ?? 0)}</td>
          </tr>
        ))}
      </Sums>
      <Described name="Out" numbers={units.output} />
    </Stack>
  );
}

function HeadNumbers({ walk }: { walk: Walk }) {
  return (
    <Stack gap="sm">
      <Text size="sm">
        probability = e^(logit − {fixed(walk.log_sum)}), where {fixed(walk.log_sum)} is the logarithm of the sum of
        e^logit over the whole vocabulary.
      </Text>
      <Sums label="The likeliest next tokens" head={["token", "logit", "probability"]}>
        {walk.candidates.map(({ token_id, text, logit, probability }) => (
          <tr key={token_id} data-mark={token_id === walk.next?.token_id || undefined}>
            <th scope="row">{word(text)}</th>
            <td>{fixed(logit)}</td>
            <td>{percent(probability)}</td>
          </tr>
        ))}
      </Sums>
      {walk.next && (
        <Text size="sm" c="dimmed">
          In the prompt, “{word(walk.next.text)}” follows.
        </Text>
      )}
    </Stack>
  );
}
