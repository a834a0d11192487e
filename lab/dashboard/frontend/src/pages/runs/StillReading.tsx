import { Text } from "@mantine/core";

interface Props {
  read: number | null;
  total: number | null;
}

/** That a list is not all of them yet: of thousands of runs, the server reads the oldest after it has begun to answer. */
export function StillReading({ read, total }: Props) {
  const coming = read !== null && total !== null && read < total;
  return (
    <Text size="sm" c="dimmed" role="status" mb={coming ? "sm" : 0}>
      {coming &&
        `Read ${read.toLocaleString("en")} of ${total.toLocaleString("en")} runs: until all are, what is found, ` +
          "grouped and put in order is these."}
    </Text>
  );
}
