import { Button, Loader } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { memo, useCallback, useMemo } from "react";
import { Link, useNavigate } from "react-router";
import { choiceParam, flagParam, listParam, textParam, useParam, type Codec } from "@/address/useParam";
import { linkTo } from "@/address/kept";
import { ErrorNote } from "@/components/ErrorNote";
import { EmptyState } from "@/components/EmptyState";
import { PageHead } from "@/components/PageHead";
import { askedFor, USUAL } from "./runs/columns";
import { FirstRun } from "./runs/FirstRun";
import { GroupTable } from "./runs/GroupTable";
import { FILTERS, ListControls } from "./runs/ListControls";
import { useRemembered } from "./runs/remembered";
import { RunTable, type Order } from "./runs/RunTable";
import { StillReading } from "./runs/StillReading";
import { useRows } from "./runs/useRows";

const words = textParam();
const filters = choiceParam(FILTERS, "all");
const sorts = textParam("created");
const descending = flagParam(true);
const figures = textParam("best_val_loss");
const columnsParam: Codec<string[]> = {
  read: (text) => (text === null ? USUAL : listParam.read(text)),
  write: (value) => (value.join() === USUAL.join() ? null : value.join(",")),
};
/** Pixels of a usual row, and of a card on a narrow screen; each is measured when it is drawn. */
const [ROW, CARD] = [55, 215];

export default function Runs() {
  useRemembered();
  const [wanted, setWanted] = useParam("q", words);
  const [filter, setFilter] = useParam("state", filters);
  const [key, setKey] = useParam("sort", sorts);
  const [down, setDown] = useParam("desc", descending);
  const [columns, setColumns] = useParam("cols", columnsParam);
  const [group, setGroup] = useParam("group", words);
  const [figure, setFigure] = useParam("figure", figures);
  const [selected, setSelected] = useParam("select", listParam);
  const navigate = useNavigate();
  const narrow = useMediaQuery("(max-width: 62em)", false, { getInitialValueInEffect: false });
  const question = useMemo(
    () => ({ q: wanted, state: filter, sort: key, descending: down, columns: askedFor(columns) }),
    [wanted, filter, key, down, columns],
  );
  const order = useMemo(() => ({ key, descending: down }), [key, down]);
  const setOrder = useCallback(
    (next: Order) => {
      setKey(next.key);
      setDown(next.descending);
    },
    [setKey, setDown],
  );
  const rows = useRows(question, narrow ? CARD : ROW);
  const select = useCallback(
    (id: string, chosen: boolean) =>
      setSelected((present) => (chosen ? [...present, id] : present.filter((one) => one !== id))),
    [setSelected],
  );

  if (rows.error && !rows.answered) return <ErrorNote error={rows.error} onRetry={rows.refetch} />;
  const none = rows.answered && rows.count === 0;
  return (
    <>
      <Head selected={selected} />
      {rows.total === 0 ? (
        <FirstRun />
      ) : (
        <>
          <ListControls
            words={wanted}
            onWords={setWanted}
            unknown={rows.unknown}
            filter={filter}
            onFilter={setFilter}
            columns={columns}
            onColumns={setColumns}
            group={group}
            onGroup={setGroup}
            figure={figure}
            onFigure={setFigure}
          />
          <StillReading read={rows.read} total={rows.total} />
          {!rows.answered && rows.count === 0 && <Loader aria-label="Loading the runs" />}
          {none && (
            <EmptyState
              title="No run fits"
              action={
                <Button variant="default" onClick={() => void navigate("/runs")}>
                  Show all
                </Button>
              }
            >
              {rows.total?.toLocaleString("en")} runs are there, none of them with these words and in this state.
            </EmptyState>
          )}
          {group !== "" && !none ? (
            <GroupTable
              question={{ q: wanted, state: filter }}
              by={group}
              figure={figure}
              onOpen={(conditions) => {
                setWanted([conditions, wanted].filter(Boolean).join(" "));
                setGroup("");
              }}
            />
          ) : (
            !none && (
              <RunTable
                rows={rows}
                columns={columns}
                order={order}
                onOrder={setOrder}
                selected={selected}
                onSelect={select}
              />
            )
          )}
        </>
      )}
    </>
  );
}

/** Not drawn anew while the list is scrolled. */
const Head = memo(function Head({ selected }: { selected: string[] }) {
  const navigate = useNavigate();
  return (
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
  );
});
