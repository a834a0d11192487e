"""All runs in a line each: read once, again when they change, and never at a price that grows without bounds."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from lab.dashboard.settings import Settings
from lab.dashboard.store.run_folders import Runs
from lab.dashboard.trainings import catalogue as module
from lab.dashboard.trainings.catalogue import Catalogue
from lab.dashboard.trainings.processes import Jobs
from lab.files import atomic
from lab.files.run_files import EVENTS_FILE, STATE_FILE
from lab.runs.state import write_state


class Clock:
    """Time that passes when it is told to, and by ``tick`` whenever somebody looks."""

    now, tick = 100.0, 0.0

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


class Place:
    """A root with runs, its catalogue, and how often each run has been read."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = Settings(root, "token")
        self.root, self.clock = root, Clock()
        self.runs = Runs(settings)
        self.catalogue = Catalogue(self.runs, Jobs(settings, self.runs), root, self.clock, self.clock)
        self.read: Counter[str] = Counter()
        summarize = module.summarize

        def counted(runs: Runs, jobs: Jobs, folder: Path) -> object:
            self.read[folder.name] += 1
            return summarize(runs, jobs, folder)

        monkeypatch.setattr(module, "summarize", counted)

    def make(self, name: str, state: str = "finished", loss: float = 5.0) -> Path:
        folder = self.root / "outputs" / "2026-11-30" / name
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / EVENTS_FILE).open("a") as log:
            event = {"seq": log.tell(), "time": 1.8e9, "kind": "metrics", "step": 1, "train_loss": loss}
            log.write(json.dumps(event) + "\n")
        if state == "running":
            write_state(folder, "running", step=1, total_steps=9)
        else:
            atomic.write_json(folder / STATE_FILE, {"state": state, "step": 1})
        return folder

    def losses(self) -> dict[str, object]:
        return {Path(run.path).name: run.train_loss for run in self.catalogue.known().values()}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


def test_a_run_is_read_once_and_again_when_a_file_of_it_changes(place: Place) -> None:
    for number in range(300):  # more than logs are kept at hand
        place.make(f"run-{number}")
    assert len(place.catalogue.now()) == place.catalogue.total == 300
    version = place.catalogue.version
    for _ in range(3):
        place.catalogue.now()
        place.clock.now += 60
        place.catalogue.look()
    assert set(place.read.values()) == {1}
    assert place.catalogue.version == version
    place.make("run-7", loss=4.0)
    place.make("new", loss=3.0)
    shutil.rmtree(place.root / "outputs" / "2026-11-30" / "run-8")
    place.clock.now += 60
    place.catalogue.look()
    found = place.losses()
    assert (found["run-7"], found["new"], found["run-9"], "run-8" in found) == (4.0, 3.0, 5.0, False)
    assert place.catalogue.version > version
    assert [name for name, times in place.read.items() if times > 1] == ["run-7"]


def test_where_a_search_takes_long_there_is_a_rest_and_live_runs_are_followed(place: Place) -> None:
    ended, live = place.make("ended"), place.make("live", "running")
    place.clock.tick = 0.1  # what one look at the clock takes: a search costs that, too
    place.catalogue.look(seconds=9)
    place.clock.tick = 0
    assert place.losses() == {"ended": 5.0, "live": 5.0}
    place.make(ended.name, loss=1.0)
    place.make(live.name, "running", loss=2.0)
    place.catalogue.look()
    assert place.losses() == {"ended": 5.0, "live": 2.0}
    assert {run.train_loss for run in place.catalogue.now()} == {5.0, 2.0}  # as they were, at once
    place.clock.now += 9.0
    place.catalogue.look()
    assert place.losses()["ended"] == 5.0
    place.clock.now += 30.0  # two hundred times as long as the search
    place.catalogue.look()
    assert place.losses() == {"ended": 1.0, "live": 2.0}
    assert place.catalogue.refresh(ended).train_loss == 1.0


def test_of_many_the_newest_are_read_first(place: Place) -> None:
    for number in range(20):
        place.make(f"run-{number:02}")
    place.clock.tick = 0.1
    place.catalogue.look(seconds=0.55)
    read = sorted(place.losses())
    assert 0 < len(read) == place.catalogue.read < 20
    assert read == [f"run-{number:02}" for number in range(20)][-len(read) :]
    assert place.catalogue.total == 20
    for _ in range(20):
        place.catalogue.look(seconds=0.55)
    assert len(place.losses()) == place.catalogue.read == 20
