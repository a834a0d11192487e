"""Lists of runs: a page of those that fit, in the order that is wanted; groups of them; what columns there are."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Response

from lab.dashboard.api.dependencies import CatalogueDep
from lab.dashboard.schemas import Column, RunGroup, RunRow
from lab.dashboard.trainings.catalogue import Catalogue
from lab.dashboard.trainings.columns import FIGURES, RESULTS, Row
from lab.dashboard.trainings.groups import grouped
from lab.dashboard.trainings.listing import Answer, Question, StateFilter, meanings

router = APIRouter(prefix="/api", tags=["runs"])

Text = Annotated[
    str,
    Query(
        max_length=2000,
        description="Words of the name, folder, state, corpus or tags; and conditions on any option or figure, such as "
        "`lr>1e-3` or `model.n_layers=2,4`.",
    ),
]
Names = Annotated[str, Query(max_length=2000, description="Options and figures, separated by commas.")]
Offset = Annotated[int, Query(ge=0, description="How many to leave out.")]
Limit = Annotated[int | None, Query(ge=1, description="How many at most; all of them if left out.")]
State = Annotated[StateFilter, Query(description="Only runs in one of these states.")]


@router.get("/runs")
def list_runs(
    response: Response,
    catalogue: CatalogueDep,
    offset: Offset = 0,
    limit: Limit = None,
    q: Text = "",
    state: State = "all",
    sweep: Annotated[str | None, Query(description="Only the runs of the sweep with this id.")] = None,
    sort: Annotated[str, Query(max_length=200, description="The option or figure that decides the order.")] = "created",
    descending: Annotated[bool, Query(description="The largest first. Runs without a value come last.")] = True,
    columns: Names = "",
    ids: Annotated[str | None, Query(max_length=20_000, description="Only these runs, separated by commas.")] = None,
) -> list[RunRow]:
    """The runs below outputs/ and multirun/ that fit, the newest first unless it is said otherwise. The header
    X-Total-Count says how many there are, X-Read-Count how many of them were read, X-Matching-Count how many of those
    fit: where there are thousands, the oldest are read in the background, and come later. X-Unknown-Names has names in
    the conditions that no run knows, or that may mean several: nothing fits those."""
    found = catalogue.answer(Question(q, state, sweep, sort, descending))
    rows = found.rows
    if ids is not None:
        wanted = set(ids.split(","))
        rows = [row for row in rows if row.summary.id in wanted]
    _tell(response, catalogue, len(rows), found)
    meant = meanings(catalogue.names())
    names = [name for name in dict.fromkeys(columns.split(",")) if name]
    return [_row(row, names, meant) for row in rows[offset : None if limit is None else offset + limit]]


@router.get("/runs/groups")
def list_groups(
    response: Response,
    catalogue: CatalogueDep,
    by: Names = "*",
    figure: Annotated[str, Query(max_length=200, description="Whose mean and spread are told.")] = "best_val_loss",
    offset: Offset = 0,
    limit: Limit = None,
    q: Text = "",
    state: State = "all",
    descending: Annotated[bool, Query(description="The largest mean first; the smallest if not.")] = False,
) -> list[RunGroup]:
    """The runs that fit, in groups with the same values of the options ``by``; ``*`` stands for every option that a
    result can come of, so that runs of a group differ in the seed alone."""
    found = catalogue.answer(Question(q, state))
    meant = meanings(catalogue.names())
    names = [meant.get(name, name) for name in by.split(",") if name]
    groups = grouped(found.rows, names, meant.get(figure, figure))
    measured = sorted((g for g in groups if g.mean is not None), key=lambda g: g.mean or 0.0, reverse=descending)
    groups = measured + [group for group in groups if group.mean is None]
    _tell(response, catalogue, len(groups), found)
    return groups[offset : None if limit is None else offset + limit]


@router.get("/runs/columns")
def list_columns(catalogue: CatalogueDep) -> list[Column]:
    """Everything that a list can show, be sorted and grouped by, and be asked for: figures, and the options that any
    run has."""
    names = catalogue.names()
    figures = [Column(name=name, kind="figure", varied=True) for name in (*FIGURES, *RESULTS)]
    return figures + [Column(name=name, kind="option", varied=names[name]) for name in sorted(names)]


def _row(row: Row, columns: list[str], meant: dict[str, str]) -> RunRow:
    cells = {name: row.cell(meant.get(name, name)) for name in columns}
    return RunRow.model_construct(**row.summary.__dict__, columns=cells)


def _tell(response: Response, catalogue: Catalogue, matching: int, found: Answer) -> None:
    response.headers["X-Total-Count"] = str(catalogue.total)
    response.headers["X-Read-Count"] = str(catalogue.read)
    response.headers["X-Matching-Count"] = str(matching)
    if found.unknown:  # typed by somebody, and a header takes plain letters only
        response.headers["X-Unknown-Names"] = ",".join(quote(name[:80]) for name in found.unknown[:8])
