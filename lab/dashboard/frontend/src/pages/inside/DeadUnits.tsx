import { Table, Text, Title } from "@mantine/core";
import type { ViewOf } from "@/api/models";
import { Computed } from "@/components/figures/Computed";
import { percent } from "@/components/model/visible";
import classes from "./DeadUnits.module.css";

/** Silent units of a layer that are told by number. */
const NAMED = 12;

/** Hidden units that no token of the prompt wakes. */
export function DeadUnits({ layers }: { layers: ViewOf<"activations">["layers"] }) {
  return (
    <section aria-label="Silent units">
      <Title order={3}>Silent units</Title>
      <Text size="sm" c="dimmed" mb="xs">
        Hidden units that are nearly zero at every token of this prompt. Some wait for other texts; where most of a
        layer is silent for every text, it has died.
      </Text>
      <Table.ScrollContainer minWidth={320} type="native" tabIndex={0} role="region" aria-label="Silent units by layer">
        <Table verticalSpacing={4} fz="sm" maw={760}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Layer</Table.Th>
              <Table.Th scope="col">
                <Computed of="inside.silent">Silent</Computed>
              </Table.Th>
              <Table.Th scope="col">Share of the layer</Table.Th>
              <Table.Th scope="col">
                <Computed of="inside.near_zero">Near zero in all</Computed>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {layers.map(({ n_units, dead_units, feed_forward }, at) => (
              <Table.Tr key={at}>
                <Table.Td>{at}</Table.Td>
                <Table.Td>
                  {dead_units.length.toLocaleString("en")} of {n_units.toLocaleString("en")}
                  {dead_units.length > 0 && (
                    <Text size="xs" c="dimmed">
                      {dead_units.slice(0, NAMED).join(", ")}
                      {dead_units.length > NAMED ? " …" : ""}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td>
                  <span className={classes.track} aria-hidden>
                    <span
                      className={classes.fill}
                      style={{ width: `${(dead_units.length / Math.max(1, n_units)) * 100}%` }}
                    />
                  </span>
                  {percent(dead_units.length / Math.max(1, n_units))}
                </Table.Td>
                <Table.Td>{percent(feed_forward.sparsity)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </section>
  );
}
