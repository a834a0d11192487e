"""A run in a folder that somebody uses: only what a run has written is ever removed or replaced."""

import csv
from pathlib import Path

import pytest
from support.commands import TINY, train_here

from lab import evaluate
from lab.commands import inspection_report
from lab.commands.options import parse
from lab.errors import LabError

SHORT = (*TINY, "trainer.max_steps=2", "eval_every=1", "log_every=1", "save=true", "save_every=1")
MINE = (
    *("config.yaml", "state.json", "results.json", "yardsticks.json", "events.jsonl", ".lock", "csv/metrics.csv"),
    *("tensorboard/mine.txt", "csv/my_table.csv", "checkpoints/best.ckpt", "checkpoints/step-mine.ckpt"),
)
"""Names that a run gives to its own files, or under which it puts them."""
BESIDE = (".hydra/config.yaml", "commands/1-2-todo", "commands/list.txt", ".x.tmp", ".last.ckpt.tmp", "train.log")
"""Names that are in nobody's way."""


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"mine: {name}\n")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has been trained."""
    folder = tmp_path_factory.mktemp("base")
    done = train_here(folder, *SHORT, "hydra.run.dir=run", "logger=[tensorboard,csv]")
    assert done.code == 0, done.err
    assert not (folder / "run" / ".hydra").exists()
    return folder / "run"


def test_a_folder_with_files_in_the_way_is_refused_with_their_names_and_left_alone(base: Path, tmp_path: Path) -> None:
    put(tmp_path, *MINE, *BESIDE)
    before = contents(tmp_path)
    for typed in (SHORT, (f"resume={base}", "trainer.max_steps=3"), (*SHORT, "resume=auto")):
        done = train_here(tmp_path, *typed, "hydra.run.dir=.")
        assert done.code == 1
        assert len(done.err.splitlines()) == 1
        assert all(name in done.err for name in MINE[:8]), done.err
        assert contents(tmp_path) == before


@pytest.mark.parametrize("name", MINE)
def test_each_of_them_is_in_the_way_by_itself(name: str, tmp_path: Path) -> None:
    put(tmp_path, name)
    done = train_here(tmp_path, *SHORT, "hydra.run.dir=.")
    assert (done.code, contents(tmp_path)) == (1, {name: f"mine: {name}\n".encode()})
    assert name in done.err


def test_a_run_lives_beside_the_files_of_others(base: Path, tmp_path: Path) -> None:
    put(tmp_path, *BESIDE, "notes.txt")
    before = contents(tmp_path)
    done = train_here(tmp_path, f"resume={base}", "trainer.max_steps=3", "hydra.run.dir=.")
    assert done.code == 0, done.err
    assert contents(tmp_path).items() >= before.items()


def test_a_run_that_goes_on_in_its_folder_replaces_its_own_files_only(tmp_path: Path) -> None:
    assert train_here(tmp_path, *SHORT, "hydra.run.dir=run", "logger=[tensorboard,csv]").code == 0
    run = tmp_path / "run"
    put(run, *BESIDE, "csv/my_table.csv", "tensorboard/mine.txt", "checkpoints/step-mine.ckpt", "notes.txt")
    put(run, "tensorboard/events.out.tfevents.mine", "checkpoints/.mine.ckpt.abcdefgh.tmp")
    before = {name: text for name, text in contents(run).items() if text.startswith(b"mine: ")}
    (left,) = (run / "tensorboard").glob("events.out.tfevents.[0-9]*")
    torn = run / "checkpoints" / ".last.ckpt.abcdefgh.tmp"
    torn.write_bytes(b"torn")
    done = train_here(tmp_path, "resume=run", "hydra.run.dir=run", "trainer.max_steps=4")
    assert done.code == 0, done.err
    assert len(before) == 12
    assert contents(run).items() >= before.items()
    assert not torn.exists()
    (written,) = (run / "tensorboard").glob("events.out.tfevents.[0-9]*")
    assert written != left
    with (run / "csv" / "metrics.csv").open() as file:
        assert sorted({int(row["step"]) for row in csv.DictReader(file)}) == [0, 1, 2, 3, 4]

    (run / "config.yaml").write_text("mine: true\n")
    put(run, "checkpoints/step-00000005.ckpt")
    before = contents(run)
    done = train_here(tmp_path, "resume=run", "hydra.run.dir=run", "trainer.max_steps=6")
    assert done.code == 1
    assert "config.yaml, checkpoints/step-00000005.ckpt" in done.err
    assert contents(run) == before


def test_curves_that_lead_out_of_the_run_remove_nothing_there(tmp_path: Path) -> None:
    put(tmp_path, "table/csv/metrics.csv")
    done = train_here(tmp_path, *SHORT, "logger=csv", "logger.csv.save_dir=table", "hydra.run.dir=run")
    assert done.code == 1
    assert "table/csv/metrics.csv is there already" in done.err
    assert (tmp_path / "table/csv/metrics.csv").read_text() == "mine: table/csv/metrics.csv\n"


def test_what_looks_at_a_model_replaces_its_own_figures_only(base: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path, "figures.json", "inside/attention.svg")
    scored = (f"checkpoint={base}", "batch_size=8")
    with pytest.raises(LabError, match=r"figures\.json is there already"):
        evaluate.evaluate(parse([*scored, "to=figures.json"], evaluate.Options), tmp_path)
    looked = [f"checkpoint={base}", "prompt=The fox", "format=svg", "ablate=false", "to=inside"]
    with pytest.raises(LabError, match=r"inside/attention\.svg is there already"):
        inspection_report.write_report(parse(looked, inspection_report.Options))
    assert contents(tmp_path) == {name: f"mine: {name}\n".encode() for name in ("figures.json", "inside/attention.svg")}
    for _ in range(2):
        evaluate.evaluate(parse([*scored, "to=other.json"], evaluate.Options), tmp_path)


def test_a_sweep_leaves_what_lies_in_its_folder(tmp_path: Path) -> None:
    put(tmp_path, "multirun.yaml")
    done = train_here(tmp_path, "-m", *SHORT, "hydra.sweep.dir=.", "seed=1")
    assert (done.code, contents(tmp_path)) == (1, {"multirun.yaml": b"mine: multirun.yaml\n"})
    assert "multirun.yaml is there already" in done.err
    (tmp_path / "multirun.yaml").unlink()
    put(tmp_path, "0/config.yaml")
    done = train_here(tmp_path, "-m", *SHORT, "hydra.sweep.dir=.", "seed=1")
    assert done.code == 1
    assert (tmp_path / "0" / "config.yaml").read_text() == "mine: 0/config.yaml\n"
    assert not (tmp_path / "0" / "state.json").exists()
    again = train_here(tmp_path, "-m", *SHORT, "hydra.sweep.dir=.", "hydra.sweep.subdir=other", "seed=1")
    assert again.code == 0, again.err  # what the sweep before has left there is Hydra's own
