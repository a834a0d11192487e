"""What is said over the WebSocket, in both directions."""

from typing import Annotated, Any, Literal

from pydantic import Field

from lab.dashboard.schemas import Model, RunSummary


class Hello(Model):
    """The first word of the server."""

    type: Literal["hello"]
    version: str = Field(description="Of the lab.")
    runs: dict[str, int] = Field(description="The number of the last event of each run.")


class Snapshot(Model):
    """All runs, once; or those that the client shows."""

    type: Literal["snapshot"]
    runs: list[RunSummary]


class RunChanged(Model):
    """A run is there that was not, or its summary has changed."""

    type: Literal["run"]
    run: RunSummary


class RunRemoved(Model):
    """A run is gone."""

    type: Literal["removed"]
    run: str


class ListChanged(Model):
    """A run has come or gone, or is in another state or called something else; for clients that do not hear of all."""

    type: Literal["list"]
    total: int = Field(description="How many runs there are.")


class NewEvents(Model):
    """What a run has logged since the last word about it, in order, as it stands in its log."""

    type: Literal["events"]
    run: str
    events: list[dict[str, Any]]


class Gap(Model):
    """The client was too slow: these events were left out. /events and /metrics have them, or a Since from before."""

    type: Literal["gap"]
    run: str
    after: int = Field(description="The last event that was sent.")
    upto: int = Field(description="The last event that was left out.")


ServerMessage = Annotated[
    Hello | Snapshot | RunChanged | RunRemoved | ListChanged | NewEvents | Gap, Field(discriminator="type")
]


class Since(Model):
    """The first word of the client, and whenever it wants to hear something again.

    Of a run that is named, all events after that number follow. Of the others, those after the hello.
    """

    type: Literal["since"]
    runs: dict[str, Annotated[int, Field(ge=-1)]] = Field(default_factory=dict, max_length=10_000)
    shown: list[str] | None = Field(
        default=None,
        max_length=2000,
        description="The runs that the client shows: it is told of these alone, and that the list has changed. Left "
        "out: as before, which is of all to begin with.",
    )


ClientMessage = Since
