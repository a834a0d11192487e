import { Divider, Select, Text, Title } from "@mantine/core";
import { choiceParam, textParam, useParam } from "@/address/useParam";
import { telling } from "@/components/run/naming";
import { varied } from "@/components/run/options";
import { TableView } from "@/components/TableView";
import { Computed } from "@/components/figures/Computed";
import { finite } from "@/live/record";
import { Seen } from "@/pages/questions/Seen";
import classes from "./Compare.module.css";
import { RESULT_NAMES, RESULTS, table, type Compared } from "./results";
import { Parallel } from "./Parallel";
import { figureScale, optionScale } from "./scale";
import { Scatter } from "./Scatter";

const option = textParam();
const results = choiceParam(RESULTS, "best_val_loss");
/** Axes that fit beside each other. */
const MOST_AXES = 8;
const PARAMETERS = "parameters";
const RESULT = (
  <>
    Each point is a run, in the colour of its line; its height is the <Computed of="compare.result" />.
  </>
);

/** What the options led to: pictures where an option differs, and a table in any case. */
export function Outcomes({ compared }: { compared: Compared[] }) {
  const [wanted, setWanted] = useParam("option", option);
  const [result, setResult] = useParam("result", results);
  const all = compared.map((one) => one.options);
  const names = varied(all);
  const first = telling(all).filter((name) => names.includes(name));
  const ordered = [...first, ...names.filter((name) => !first.includes(name))];
  const sizes = compared.map(({ run }) => run.parameters);
  const choices = [...ordered, PARAMETERS];
  const chosen = choices.includes(wanted) ? wanted : (choices[0] ?? PARAMETERS);
  const figures = compared.map(({ run }) => finite(run[result]));
  const { columns, rows } = table(compared);
  const across = chosen === PARAMETERS ? figureScale(sizes, true) : optionScale(all.map((options) => options[chosen]));
  return (
    <section>
      <Title order={2} mb="sm">
        What it led to
      </Title>
      <div className={classes.choices}>
        <Select
          label="Option"
          data={[...ordered, { value: PARAMETERS, label: "parameters of the model" }]}
          value={chosen}
          onChange={(value) => setWanted(value ?? "")}
          allowDeselect={false}
        />
        <Select
          label="Result"
          data={RESULTS.map((value) => ({ value, label: RESULT_NAMES[value] }))}
          value={result}
          onChange={(value) => setResult(results.read(value))}
          allowDeselect={false}
        />
      </div>
      <div className={ordered.length > 0 ? classes.pictures : undefined}>
        <Scatter
          title={`${RESULT_NAMES[result]} by ${chosen}`}
          hint={
            chosen === PARAMETERS && new Set(sizes).size === 1
              ? `All of these models have ${sizes[0]?.toLocaleString("en") ?? "an unknown number of"} parameters.`
              : RESULT
          }
          dots={compared.map(({ run, options, label, style }, at) => ({
            id: run.id,
            label,
            style,
            x: chosen === PARAMETERS ? run.parameters : options[chosen],
            y: figures[at] ?? null,
          }))}
          x={{ name: chosen, scale: across }}
          y={{ name: RESULT_NAMES[result], scale: figureScale(figures) }}
        />
        {ordered.length > 0 && <Parallel compared={compared} options={ordered.slice(0, MOST_AXES)} result={result} />}
      </div>
      {ordered.length > MOST_AXES && (
        <Text size="sm" c="dimmed">
          Of the {ordered.length} options that differ, the {MOST_AXES} that tell most are axes; the table has all.
        </Text>
      )}
      <Seen place="outcomes" />
      <Divider my="md" />
      <TableView caption="Runs, results and different options" columns={columns} rows={rows} file="runs" />
    </section>
  );
}
