import { Button, Group, Loader, SegmentedControl, TextInput } from "@mantine/core";
import { IconPlus, IconSearch } from "@tabler/icons-react";
import { Link, useNavigate } from "react-router";
import { choiceParam, flagParam, listParam, textParam, useParam } from "@/address/useParam";
import { linkTo } from "@/address/kept";
import { useRuns } from "@/api/runs";
import { ErrorNote } from "@/components/ErrorNote";
import { EmptyState } from "@/components/EmptyState";
import { PageHead } from "@/components/PageHead";
import { FirstRun } from "./runs/FirstRun";
import { RunTable } from "./runs/RunTable";
import { FILTERS, listed, SORTS } from "./runs/sorting";

const words = textParam();
const filters = choiceParam(FILTERS, "all");
const sorts = choiceParam(SORTS, "created");
const descending = flagParam(true);

export default function Runs() {
  const { data: runs, error, refetch } = useRuns();
  const [wanted, setWanted] = useParam("q", words);
  const [filter, setFilter] = useParam("state", filters);
  const [key, setKey] = useParam("sort", sorts);
  const [down, setDown] = useParam("desc", descending);
  const [selected, setSelected] = useParam("select", listParam);
  const navigate = useNavigate();

  if (error && !runs) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  if (!runs) return <Loader aria-label="Loading the runs" />;
  const shown = listed(runs, wanted, filter, { key, descending: down });
  return (
    <>
      <PageHead
        title="Runs"
        lead="Every training in outputs/ and multirun/, whoever started it."
        actions={
          <>
            <Button
              variant="default"
              disabled={selected.length < 2}
              onClick={() => void navigate(linkTo("/compare", new URLSearchParams({ runs: selected.join(",") })))}
            >
              Compare{selected.length > 0 ? ` (${selected.length})` : ""}
            </Button>
            <Button component={Link} to="/new" leftSection={<IconPlus size={16} aria-hidden />}>
              New run
            </Button>
          </>
        }
      />
      {runs.length === 0 ? (
        <FirstRun />
      ) : (
        <>
          <Group mb="md" gap="sm">
            <TextInput
              aria-label="Find runs by name, tag or state"
              placeholder="Find by name, tag or state"
              leftSection={<IconSearch size={16} aria-hidden />}
              value={wanted}
              onChange={(event) => setWanted(event.currentTarget.value)}
              w={{ base: "100%", sm: 280 }}
            />
            <SegmentedControl
              aria-label="Which runs"
              data={FILTERS.map((value) => ({ value, label: value }))}
              value={filter}
              onChange={(value) => setFilter(filters.read(value))}
            />
          </Group>
          {shown.length === 0 ? (
            <EmptyState
              title="No run fits"
              action={
                <Button variant="default" onClick={() => void navigate("/runs")}>
                  Show all
                </Button>
              }
            >
              {runs.length} runs are there, none of them with these words and in this state.
            </EmptyState>
          ) : (
            <RunTable
              runs={shown}
              order={{ key, descending: down }}
              onOrder={(order) => {
                setKey(order.key);
                setDown(order.descending);
              }}
              selected={selected}
              onSelect={(id, chosen) => setSelected(chosen ? [...selected, id] : selected.filter((one) => one !== id))}
            />
          )}
        </>
      )}
    </>
  );
}
