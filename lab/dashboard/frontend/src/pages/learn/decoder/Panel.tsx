import { CloseButton, Group, Loader, Tabs, Text, Title } from "@mantine/core";
import { choiceParam, useParam } from "@/address/useParam";
import type { Structure, Walk } from "@/api/decoder";
import { ErrorNote } from "@/components/ErrorNote";
import { Code } from "../Code";
import { count, type Box } from "./boxes";
import classes from "./Decoder.module.css";
import { whole } from "./figures";
import { PartNumbers } from "./PartNumbers";
import { Sums } from "./Vector";

interface Props {
  id: string;
  box: Box;
  model: Structure;
  walk: Walk | null;
  error: unknown;
  onHead: (head: number) => void;
  onClose: () => void;
}

const TABS = ["numbers", "shapes", "code"] as const;
const tabs = choiceParam(TABS, "numbers");
const NAMES = { numbers: "Live numbers", shapes: "Shapes", code: "Code" };

/** An open box: what it does, its numbers for the token, its shapes, and its code. */
export function Panel({ id, box, model, walk, error, onHead, onClose }: Props) {
  const [tab, setTab] = useParam("show", tabs);
  return (
    <section id={id} className={classes.panel} aria-label={box.title} data-testid="panel">
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Title order={3}>{box.title}</Title>
        <CloseButton aria-label={`Close ${box.title}`} onClick={onClose} />
      </Group>
      <Text size="sm" c="dimmed">
        {box.kind}
      </Text>
      <Text size="sm" my="xs">
        {box.text}
      </Text>
      <Tabs value={tab} onChange={(value) => setTab(tabs.read(value))} keepMounted={false}>
        <Tabs.List mb="sm" aria-label={`What to see of ${box.title}`}>
          {TABS.map((name) => (
            <Tabs.Tab key={name} value={name}>
              {NAMES[name]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="numbers">
          {model.own.length > 0 ? (
            <Text size="sm">
              Parts of this model are code of your own ({model.own.map((option) => `model.${option}`).join(", ")}),
              which this page does not run: there are no live numbers. <code>python -m lab.inspect parts=FILE.py</code>{" "}
              looks inside such a model.
            </Text>
          ) : error && !walk ? (
            <ErrorNote error={error} />
          ) : walk ? (
            <PartNumbers id={box.id} walk={walk} model={model} onHead={onHead} />
          ) : (
            <Loader size="sm" aria-label="Asking the model" />
          )}
        </Tabs.Panel>
        <Tabs.Panel value="shapes">
          <Shapes box={box} model={model} />
        </Tabs.Panel>
        <Tabs.Panel value="code">
          {box.code.length === 0 ? (
            <Text size="sm">
              This part is a class of your own ({box.kind}). Its code stays in your file: the page shows the lab&apos;s.
            </Text>
          ) : (
            box.code.map(({ name, file }, at) => <Code key={name} name={name} file={file} open={at === 0} />)
          )}
        </Tabs.Panel>
      </Tabs>
    </section>
  );
}

function Shapes({ box, model }: { box: Box; model: Structure }) {
  const numbers = count(box.parameters);
  return (
    <>
      <Sums label="What flows through it" head={["tensor", "dimensions", "sizes"]}>
        {box.shapes.map(({ name, dims }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{dims.map(([dim]) => dim).join(", ")}</td>
            <td>{dims.map(([, size]) => whole(size)).join(" × ")}</td>
          </tr>
        ))}
      </Sums>
      <Text size="sm" mt="md" mb={4}>
        {numbers > 0
          ? `${whole(numbers)} parameters${box.times > 1 ? `, and as many in each of ${box.times} layers` : ""}: ${share(numbers * box.times, model.total)} of the model's ${whole(model.total)}.`
          : box.id === "head" && model.tied
            ? "No parameters of its own: the matrix is the token embedding's, read the other way."
            : "No parameters: nothing in it is learnt."}
      </Text>
      {numbers > 0 && (
        <Sums label="What is learnt" head={["parameter", "shape", "numbers"]}>
          {box.parameters.map((one) => (
            <tr key={one.name}>
              <th scope="row">{one.name}</th>
              <td>{one.shape.map(whole).join(" × ")}</td>
              <td>{whole(count([one]))}</td>
            </tr>
          ))}
        </Sums>
      )}
    </>
  );
}

function share(part: number, total: number): string {
  const percent = (part / Math.max(1, total)) * 100;
  return percent >= 0.1 ? `${percent.toFixed(1)}%` : "less than 0.1%";
}
