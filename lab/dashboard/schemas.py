"""What goes over the wire about runs, field by field."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from lab.comparison.verdict import At
from lab.files.labels import MOST_NAME, MOST_NOTES, MOST_TAG, MOST_TAGS
from lab.files.strict_json import named
from lab.runs.state import State

Number = Annotated[float | Literal["NaN", "Infinity", "-Infinity"], BeforeValidator(named)]
"""A number, or the name of one that JSON cannot write."""

Value = str | int | float | bool | None | list[int | float | str]
"""The value of an option."""

Tag = Annotated[str, Field(min_length=1, max_length=MOST_TAG)]


Action = Literal["pause", "resume", "stop", "save", "evaluate", "fork", "again", "delete"]
"""What can be done with a run: told, continued, started once more with the same options, deleted."""


class Model(BaseModel):
    """Our models refuse fields that they do not know, and the schema says that what has a default is always sent."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class Health(Model):
    """Is the server well?"""

    status: Literal["ok"] = Field("ok", description="That it answers at all.")
    version: str = Field(description="Of the lab.")
    device: str = Field(description="What trainings run on unless they are told otherwise.")
    worker: bool = Field(description="Whether the process that runs models for generation and inspection is there.")
    token: Literal["right", "wrong", "missing"] = Field(description="Of this request: only the right one opens more.")


class RunSummary(Model):
    """A run in a line."""

    id: str
    path: str = Field(description="Its folder, as seen from the server's root.")
    name: str = Field(description="Given by somebody, or else the folder's.")
    tags: list[str] = []
    note: str = ""
    state: State
    reason: str | None = Field(default=None, description="Why it is in this state, where there is more to say.")
    step: int = Field(default=0, description="Finished optimizer steps.")
    total_steps: int | None = None
    created: float = Field(default=0.0, description="Seconds since 1970.")
    updated: float = Field(default=0.0, description="When it last said something; seconds since 1970.")
    model: str = Field(default="", description="Its size in words, such as 6 x 256.")
    parameters: int | None = None
    corpus: str | None = None
    tokens_per_step: int | None = None
    save: bool = Field(default=False, description="Whether it keeps checkpoints.")
    parent: str | None = Field(default=None, description="The id of the run that it continues in a folder of its own.")
    train_loss: Number | None = None
    val_loss: Number | None = None
    best_val_loss: Number | None = None
    tokens_per_second: Number | None = Field(
        default=None, description="While it is alive at its last written point; once it has ended, the mean."
    )
    alerts: int = Field(default=0, description="How often it said something to be called for.")
    seq: int = Field(default=-1, description="The number of its last event; -1 before the first.")
    sparkline: list[Number] = Field(default=[], description="The training loss in a few points.")
    sweep: str | None = Field(default=None, description="The id of the sweep that it is a run of.")
    actions: list[Action] = Field(default=[], description="What can be done with it now.")
    checkpoints: int = Field(default=0, description="How many checkpoints there are of it.")
    saved_step: int | None = Field(default=None, description="The last step that a checkpoint was taken at.")


class RunRow(RunSummary):
    """A run in a list with columns that somebody has chosen."""

    columns: dict[str, str | int | float | bool | None] = Field(
        default={}, description="The options and figures that were asked for, by name; null where it has none."
    )


class Column(Model):
    """What a list of runs can show of each."""

    name: str
    kind: Literal["figure", "option"]
    varied: bool = Field(description="Whether it is not the same in all runs.")


class RunGroup(Model):
    """Runs that have options in common, and a figure of theirs."""

    options: dict[str, str | int | float | bool | None] = Field(description="What they have in common.")
    count: int
    seeds: int = Field(description="How many different ones.")
    measured: int = Field(description="How many of them have the figure.")
    mean: float | None
    deviation: float | None = Field(description="The standard deviation; null of fewer than two.")
    low: float | None
    high: float | None
    runs: list[str] = Field(description="The ids of the first of them.")


class RunDetail(RunSummary):
    """A run, and what happened to it."""

    metrics: list[str] = Field(description="The names of its curves.")
    command: str | None = Field(description="What would start the same run from a shell.")
    results: dict[str, Any] | None = Field(description="What came out: results.json.")
    log_tail: str | None = Field(description="Of a run that failed: the last lines that it printed.")
    versions: dict[str, str] = Field(description="Of the libraries it ran with.")


class RunChange(Model):
    """What somebody wants to call a run."""

    name: str | None = Field(default=None, max_length=MOST_NAME)
    tags: list[Tag] | None = Field(default=None, max_length=MOST_TAGS)
    note: str | None = Field(default=None, max_length=MOST_NOTES)


class Series(Model):
    """A curve, point by point; all lists are equally long."""

    steps: list[int] = Field(description="Finished optimizer steps.")
    values: list[Number]
    times: list[float] = Field(description="When each was written; seconds since 1970.")
    total: int = Field(description="How many points there are in all, before thinning.")


class Metrics(Model):
    """Curves of a run."""

    run: str
    seq: int = Field(description="The last event that is in them.")
    series: dict[str, Series]


class Events(Model):
    """Events of a run, as they stand in its log."""

    run: str
    events: list[dict[str, Any]]
    last: int = Field(description="The number of the last one; ask for what comes after it.")
    more: bool = Field(description="Whether there are more.")


class MeasuredAt(Model):
    """Two sides of a comparison at one place."""

    at: At
    where: str = Field(description="The place in words: at equal tokens, and the like.")
    spent: str | None = Field(description="What both had spent there.")
    baseline: Number = Field(description="The mean over the runs of the baseline.")
    side: Number = Field(description="The mean over the runs of the other side.")
    difference: Number = Field(description="Of the side against the baseline.")
    low: Number | None = Field(description="The lower end of the 95 % interval; null where nothing can be said.")
    high: Number | None
    outcome: Literal["better", "worse", "not decided"]


class ContrastInfo(Model):
    """A side of a comparison against its baseline."""

    side: str = Field(description="Its letter, and the options in which the sides differ.")
    name: str = Field(description="Its letter alone.")
    seeds: list[int]
    unit: str
    by: At = Field(description="What is held equal for the verdict: what was asked for, or else what is known.")
    verdict: Literal["better", "worse", "not decided"]
    sentence: str
    notes: list[str]
    measured: list[MeasuredAt]


class SideInfo(Model):
    """Runs that differ in nothing but the seed."""

    name: str = Field(description="A, B, ...; empty if none of them has evaluated its model yet.")
    runs: list[str] = Field(description="Their ids.")


class Comparison(Model):
    """Runs in sides: those that differ in nothing but the seed stand together. Runs that no two sides can be made of
    (yet: none has evaluated its model) are an answer, too: no contrasts, and why."""

    baseline: str
    seeds: list[int] = Field(description="Those of the baseline.")
    sides: list[SideInfo] = Field(description="All of the runs, also where nothing can be compared.")
    contrasts: list[ContrastInfo]
    why_none: str | None = Field(description="Why nothing of these runs can be compared; null if it can.")


class ProfiledPart(Model):
    """A part of an optimizer step, forward and backward together."""

    part: str
    seconds: Number
    share: Number = Field(description="Of the step.")
    flops: Number = Field(description="Floating-point operations in a step; 0: counted as none.")
    products: Number | None = Field(description="Seconds that its matrix products take alone; null if it has none.")


class StepProfile(Model):
    """Where the time of an optimizer step goes, as lab.profile measures it."""

    parts: list[ProfiledPart]
    seconds: Number = Field(description="Of a step under the profiler: what the parts add up to.")
    plain_seconds: Number = Field(description="Of a step without the profiler.")
    tokens: int
    precision: str
    compiled: bool
    device: str
    products: Number = Field(description="Seconds that all matrix products of a step take alone.")
    flops: Number = Field(description="Floating-point operations of a step.")
    peak: Number = Field(description="Floating-point operations a second that the products alone come to.")


class WeightCounts(Model):
    """Of a part's weights."""

    edge: float = Field(description="The largest of them, whatever its sign.")
    counts: list[int] = Field(description="How many fall into bins of equal width from -edge to edge.")


class GradientCounts(Model):
    """Of the gradient that moved a part last."""

    zeros: int = Field(description="How many are exactly zero.")
    counts: list[int] = Field(description="How many lie between 2^(lowest_exponent + i) and twice that.")


class PartCounts(Model):
    """A part of the model, all its matrices together."""

    weights: WeightCounts
    gradients: GradientCounts | None = Field(description="None before the first step.")


class CountedMoment(Model):
    """What one evaluation has seen of weights and gradients."""

    step: int
    parts: dict[str, PartCounts]


class Distributions(Model):
    """How large the weights and gradients of a run were."""

    lowest_exponent: int
    moments: list[CountedMoment]


class Log(Model):
    """What a training has printed."""

    text: str
    start: int = Field(description="Where in the file it begins, in bytes.")
    end: int = Field(description="Where it ends: ask for what comes after it.")


class Sample(Model):
    """A text that the model wrote at an evaluation."""

    step: int
    text: str
    time: float


class CheckpointInfo(Model):
    """A checkpoint file."""

    id: str
    run: str
    name: str
    step: int | None
    bytes: int
    same_as: str | None = Field(
        default=None,
        description="Another checkpoint in this list, if this is the same file by another name: it takes no more room.",
    )
    modified: float = Field(description="Seconds since 1970.")
    weights_only: bool = Field(description="To be looked at and to write with; there is no going on from it.")


class Exported(Model):
    """A checkpoint for other programs."""

    path: str = Field(description="The folder, as seen from the server's root.")


class Started(Model):
    """What was started."""

    kind: Literal["run", "sweep"]
    id: str


class Continuation(Model):
    """How a run goes on."""

    overrides: dict[str, Value] = Field(default_factory=dict, description="Options that change from now on.")


class RunOptions(Model):
    """What makes a run out of the defaults, as it would be given to start it once more."""

    overrides: dict[str, Value]
    fork: str | None = Field(description="The id of the checkpoint that it goes on from; then out of that one's run.")
    parent: str | None = Field(description="The id of the run of that checkpoint.")


class SweepInfo(Model):
    """A sweep."""

    id: str
    path: str
    name: str = Field(description="Given by somebody, or else nothing.")
    state: Literal["queued", "running", "ended"]
    command: str
    runs: list[str] = Field(description="The ids of its runs so far.")
