"""The main job through the front door: run the real command, read what it wrote."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.commands import TINY, lab, scalars, tiny, train, train_here

from lab.config.schema import Config
from lab.runs.results import Results


@pytest.mark.parametrize("name", ["my notes (1), final.txt", "a=b#c'd\"e.txt", "123", "{x}[y]${z}.txt", "höhle 🦊.txt"])
def test_a_text_of_ones_own_under_any_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("The miller counted his sacks and the fox counted the miller. " * 40)
    done = tiny(tmp_path, "corpus=text", f"corpus.path={name}", "trainer.max_steps=1", "data.max_val_tokens=50")
    assert done.results["corpus"]["n_tokens"] > 400


def test_the_path_of_a_text_starts_where_the_command_is_typed(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "a.md").write_text("Snow fell on the mill, and nobody had counted on that. " * 40)
    done = lab(tmp_path / "here", "train", *TINY, "corpus=text", "corpus.path=.", "trainer.max_steps=1")
    assert done.code == 0, done.err


def test_a_sweep_makes_one_folder_a_job_and_nothing_leaks(tmp_path: Path) -> None:
    options = (*TINY, "trainer.max_steps=4", "log_every=1")
    sweep = train(tmp_path, "-m", "optimizer.lr=1e-2,1e-3", *options)
    jobs = sweep.runs
    assert [job.name for job in jobs] == ["0", "1"]
    assert jobs[0].parent.parent.parent == tmp_path / "multirun"
    for job, lr in zip(jobs, ("1e-2", "1e-3"), strict=True):
        (tmp_path / lr).mkdir()
        alone = train_here(tmp_path / lr, *options, f"optimizer.lr={lr}")
        assert scalars(job)["train_loss"] == scalars(alone.run)["train_loss"]
        assert scalars(job)["val_loss"] == scalars(alone.run)["val_loss"]
        assert (job / "results.json").is_file()


def test_a_failing_job_does_not_keep_a_sweep_from_finishing(tmp_path: Path) -> None:
    options = ("trainer.max_steps=4", "schedule.warmup_steps=0")
    done = train_here(tmp_path, "-m", "optimizer.lr=1e38,1e-3", *TINY, *options)
    assert done.code == 1
    assert "diverged" in done.err
    assert [(job / "results.json").is_file() for job in done.runs] == [False, True]


@pytest.mark.slow
@pytest.mark.parametrize("options", [("model=small", "corpus=verdict")])
def test_the_command_from_the_first_page_works_as_typed(
    options: tuple[str, ...], tmp_path: Path, corpora: Path
) -> None:
    if not (corpora / "the-verdict.txt").is_file():
        pytest.skip("verdict must be fetched, and no file of it is in LAB_CORPORA")
    done = train(tmp_path, *options, "trainer.max_steps=1", "sample.max_tokens=2", env={"LAB_CORPORA": str(corpora)})
    assert done.results["parameters"] == 51_213_824
    assert done.results["corpus"]["n_tokens"] == 5145


@pytest.mark.slow
def test_a_validation_text_shorter_than_one_window(tmp_path: Path, corpora: Path) -> None:
    if not (corpora / "the-verdict.txt").is_file():
        pytest.skip("verdict must be fetched, and no file of it is in LAB_CORPORA")
    options = ("model=medium", "corpus=verdict", "data.batch_size=1", "trainer.max_steps=1", "eval_every=1")
    done = train(tmp_path, *options, env={"LAB_CORPORA": str(corpora), "OMP_NUM_THREADS": "2"})
    assert done.results["parameters"] == 124_439_808


@pytest.mark.slow
def test_the_default_run_learns_more_than_word_counts(tmp_path: Path) -> None:
    done = train(tmp_path, env={"OMP_NUM_THREADS": "2"})
    assert done.results["parameters"] == 17_670_400
    assert done.results["best_val_loss"] < done.results["unigram_val_loss"] - 0.3
    assert "python -m lab.train experiment=five_minutes save=true\n" in done.out.partition("\nnext\n")[2]


@pytest.mark.slow
def test_five_minutes_well_spent_are_ahead_of_the_default_run_after_one(tmp_path: Path) -> None:
    """The default run ends at 1.869 bits per byte, after as much work as all the steps of the experiment take."""
    done = train(tmp_path, "experiment=five_minutes", "trainer.max_steps=112", env={"OMP_NUM_THREADS": "2"})
    assert done.results["total_steps"] == 112
    assert done.results["bits_per_byte"] < 1.8


@pytest.mark.slow
def test_overfit_learns_its_batch_by_heart(tmp_path: Path) -> None:
    done = train(tmp_path, "experiment=overfit", env={"OMP_NUM_THREADS": "2"})
    assert done.results["train_loss"] < 0.1


def test_a_sweep_over_several_devices_is_refused(tmp_path: Path) -> None:
    done = train_here(tmp_path, "-m", *TINY, "trainer.devices=2", "seed=1,2")
    assert done.code == 1
    assert "the runs of a sweep have one device each" in done.err
    assert "OPTION=VALUE trainer.devices=2" in done.err


def test_printing_the_options_runs_nothing(tmp_path: Path) -> None:
    done = lab(tmp_path, "train", "--cfg", "job", "model=small")
    assert done.code == 0
    assert "emb_dim: 512" in done.out
    assert not (tmp_path / "outputs").exists()


def test_tab_completion(tmp_path: Path) -> None:

    script = Path(sys.executable).parent / "lab-train"
    if not script.exists():
        script = Path(shutil.which("lab-train") or "")
    if not script.is_file():
        pytest.skip("the lab-train script is not installed in this environment")
    line = "lab-train model="
    env = {**os.environ, "COMP_LINE": line, "COMP_POINT": str(len(line))}
    done = subprocess.run([script, "-sc", "query=bash"], env=env, capture_output=True, text=True, check=False)
    assert {"model=nano", "model=small", "model=medium", "model=large"} <= set(done.stdout.split())


def test_the_bare_command_trains_with_the_promised_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Config] = []

    def train(config: Config, *_: Path) -> Results:
        asked.append(config)
        return Results(best_val_loss=1.0)

    monkeypatch.setattr("lab.training.run.train", train)
    assert train_here(tmp_path).code == 0
    (config,) = asked
    assert (config.data.batch_size, config.optimizer.lr, config.save) == (4, 3e-4, False)
    assert (config.corpus.name, config.trainer.gradient_clip_val) == ("fables", 1.0)
