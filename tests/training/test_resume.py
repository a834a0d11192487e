"""An interrupted run and an undisturbed one are the same run: bit for bit, at every step, in every log."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.commands import Finished, lab, scalars, train, train_here
from support.runs import OPTIONS, STEPS, assert_same_run, weights, write_tale

from lab.config import compose
from lab.config.schema import Config, ScheduleName, check
from lab.training import resume


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run that keeps a checkpoint of every step."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_tale(folder)
    done = train_here(folder, *OPTIONS, "save_every=1", "keep=100")
    assert done.code == 0, done.err
    return done


from_anywhere = given(step=st.integers(1, STEPS - 1), workers=st.sampled_from([0, 0, 0, 2]), in_place=st.booleans())
fixed = [HealthCheck.function_scoped_fixture]


@settings(max_examples=5, deadline=None, suppress_health_check=fixed)
@from_anywhere
def test_from_any_step_the_rest_is_the_same(
    undisturbed: Finished, tmp_path_factory: pytest.TempPathFactory, step: int, workers: int, in_place: bool
) -> None:
    assert_continues_the_same(undisturbed, tmp_path_factory, step, workers, in_place)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=fixed)
@from_anywhere
def test_from_any_step_the_rest_is_the_same_many_times_over(
    undisturbed: Finished, tmp_path_factory: pytest.TempPathFactory, step: int, workers: int, in_place: bool
) -> None:
    assert_continues_the_same(undisturbed, tmp_path_factory, step, workers, in_place)


def assert_continues_the_same(
    undisturbed: Finished, tmp_path_factory: pytest.TempPathFactory, step: int, workers: int, in_place: bool
) -> None:
    folder = tmp_path_factory.mktemp("resumed")
    write_tale(folder)
    parent = folder / "parent"
    shutil.copytree(undisturbed.run, parent)
    checkpoint = parent / "checkpoints" / f"step-{step:08d}.ckpt"
    where = parent if in_place else folder / "child"
    done = train_here(folder, f"resume={checkpoint}", f"data.num_workers={workers}", f"hydra.run.dir={where}")
    assert done.code == 0, done.err
    assert_same_run(undisturbed.run, where)
    shutil.rmtree(folder)  # half a gigabyte, and there are sixty


def test_last_alone_continues_with_the_same_options_in_a_folder_that_names_its_parent(
    tmp_path: Path, undisturbed: Finished
) -> None:
    write_tale(tmp_path)
    parent = tmp_path / "outputs" / "chosen"  # found wherever it lies under outputs/
    part = train_here(
        tmp_path, *OPTIONS, "schedule.total_steps=12", "trainer.max_steps=7", "hydra.run.dir=outputs/chosen"
    )
    assert part.code == 0, part.err
    done = train(tmp_path, "resume=last", "trainer.max_steps=12")
    assert done.results["parent"] == str(parent / "checkpoints" / "last.ckpt")
    assert done.run != parent
    first, second = weights(undisturbed.run), weights(done.run)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_prolonged_run_keeps_its_first_horizon_and_says_so(tmp_path: Path) -> None:
    write_tale(tmp_path)
    short = train_here(tmp_path, *OPTIONS, "trainer.max_steps=6")
    rates = scalars(short.run)["learning_rate"]
    done = train_here(tmp_path, "resume=last", "trainer.max_steps=9")
    assert "still comes down until step 6" in done.out
    longer = scalars(done.run)["learning_rate"]
    assert {step: longer[step] for step in rates} == rates
    assert longer[9] == pytest.approx(1e-3)  # the floor: a tenth of the peak
    stretched = train_here(tmp_path, f"resume={short.run}", "trainer.max_steps=9", "schedule.total_steps=9")
    assert scalars(stretched.run)["learning_rate"][7] > longer[7]


def test_a_new_learning_rate_counts_from_the_next_step_on(tmp_path: Path) -> None:
    write_tale(tmp_path)
    part = train_here(tmp_path, *OPTIONS, "trainer.max_steps=4", "schedule=constant", "schedule.warmup_steps=0")
    done = train_here(tmp_path, f"resume={part.run}", "trainer.max_steps=6", "optimizer.lr=3e-3")
    rates = scalars(done.run)["learning_rate"]
    assert rates[4] == pytest.approx(1e-2)
    assert rates[5] == rates[6] == pytest.approx(3e-3)


@pytest.mark.slow
def test_a_prolonged_run_evaluates_as_often_as_its_new_length_asks_for(tmp_path: Path) -> None:
    write_tale(tmp_path)
    options = [word for word in OPTIONS if not word.startswith(("eval_every", "log_every"))]
    short = train_here(tmp_path, *options, "trainer.max_steps=10")
    assert sorted(scalars(short.run)["val_loss"]) == list(range(11))
    longer = train_here(tmp_path, "resume=last", "trainer.max_steps=35")
    assert sorted(scalars(longer.run)["val_loss"]) == [*range(11), 12, 16, 20, 24, 28, 32, 35]
    chosen = train_here(tmp_path, f"resume={short.run}", "trainer.max_steps=35", "eval_every=15")
    assert sorted(scalars(chosen.run)["val_loss"]) == [*range(11), 15, 30, 35]
    kept = train_here(tmp_path, f"resume={chosen.run}", "trainer.max_steps=50")
    assert sorted(scalars(kept.run)["val_loss"]) == [*range(11), 15, 30, 35, 45, 50]


def test_more_epochs_prolong_a_run(tmp_path: Path) -> None:
    write_tale(tmp_path)
    options = [word for word in OPTIONS if not word.startswith("trainer.max_steps")]
    assert train_here(tmp_path, *options, "trainer.max_epochs=1").results["steps"] == 5
    assert train_here(tmp_path, "resume=last", "trainer.max_epochs=2").results["steps"] == 9


def test_another_logger_is_no_other_run(tmp_path: Path) -> None:
    write_tale(tmp_path)
    assert train_here(tmp_path, *OPTIONS, "trainer.max_steps=3").code == 0
    done = train_here(tmp_path, "resume=last", "trainer.max_steps=5", "logger=csv")
    assert done.code == 0
    steps = [line.split(",") for line in (done.run / "csv" / "metrics.csv").read_text().splitlines()]
    column = steps[0].index("step")
    assert sorted({int(row[column]) for row in steps[1:]}) == [0, 1, 2, 3, 4, 5]  # the curve of the parent, too


OTHER_CHOICES = (
    *("optimizer=sgd", "optimizer.momentum=0.5", "schedule=wsd", "schedule.decay_fraction=0.5"),
    *("schedule.total_steps=12", "logger=[tensorboard,csv]", "logger.csv.flush_logs_every_n_steps=1"),
    *("callbacks=early_stopping", "callbacks.early_stopping.patience=5", "+callbacks.early_stopping.min_delta=50"),
    *("if_save_fails=go_on", "sample.temperature=0.5", "corpus.name=tale", "eval_every=1"),
)
"""Another file in every group; with these, every evaluation but the first is one that early stopping waits in."""


def test_what_was_chosen_is_chosen_again_and_early_stopping_counts_on(tmp_path: Path) -> None:
    write_tale(tmp_path)
    whole = train_here(tmp_path, *OPTIONS, *OTHER_CHOICES, "hydra.run.dir=whole")
    assert whole.code == 0, whole.err
    again = train_here(tmp_path, *OPTIONS, *OTHER_CHOICES, "resume=auto", "hydra.run.dir=whole")
    assert again.code == 0, again.err
    assert "nothing left to do" in again.out
    config = yaml.safe_load((tmp_path / "whole" / "config.yaml").read_text())
    assert json.loads((tmp_path / "whole" / "results.json").read_text())["steps"] == 6  # 1 is the best, then 5 in vain
    part = train_here(tmp_path, *OPTIONS, *OTHER_CHOICES, "trainer.max_steps=3", "hydra.run.dir=part")
    assert part.code == 0, part.err
    done = train_here(tmp_path, "resume=part", "trainer.max_steps=12", "hydra.run.dir=part")
    assert (done.code, done.err) == (0, "")
    assert_same_run(tmp_path / "whole", tmp_path / "part")
    continued = yaml.safe_load((tmp_path / "part" / "config.yaml").read_text())
    assert continued.pop("resume") == "part"
    del config["resume"]
    assert json.loads(json.dumps(continued).replace("/part", "/whole")) == config
    curves = [(tmp_path / run / "csv" / "metrics.csv").read_text().splitlines() for run in ("whole", "part")]
    assert len(curves[0]) == len(curves[1]) > 12


def test_a_patience_that_is_typed_is_the_one_that_counts(tmp_path: Path) -> None:
    write_tale(tmp_path)
    assert train_here(tmp_path, *OPTIONS, *OTHER_CHOICES, "trainer.max_steps=3", "hydra.run.dir=part").code == 0
    done = train_here(tmp_path, "resume=part", "trainer.max_steps=12", "callbacks.early_stopping.patience=7")
    assert done.results["steps"] == 8


@pytest.mark.filterwarnings("default:Be aware that when using")  # it is told as a line, and no error
def test_what_a_checkpoint_may_not_choose_is_said(tmp_path: Path) -> None:
    write_tale(tmp_path)
    timer = "+callbacks.timer={_target_:lightning.pytorch.callbacks.Timer,interval:step}"
    assert train_here(tmp_path, *OPTIONS, timer, "trainer.max_steps=1", "hydra.run.dir=part").code == 0
    done = train_here(tmp_path, "resume=part", "trainer.max_steps=2")
    assert done.code == 0
    assert done.err.startswith("not taken over from")
    assert "callbacks.timer" in done.err
    assert "timer" not in yaml.safe_load((done.run / "config.yaml").read_text())["callbacks"]
    again = train_here(tmp_path, "resume=part", "trainer.max_steps=2", timer)
    assert (again.code, again.err) == (0, "")


def test_a_file_that_is_typed_changes_what_it_says_differently(tmp_path: Path) -> None:
    write_tale(tmp_path)
    assert (
        train_here(tmp_path, *OPTIONS, "schedule.warmup_steps=2", "trainer.max_steps=2", "hydra.run.dir=part").code == 0
    )

    def goes_on_with(*typed: str) -> Config:
        return check(compose.compose_quoted([*resume.inherited_overrides(["resume=part", *typed], tmp_path), *typed]))

    again = goes_on_with("trainer=cpu", "corpus=text", "schedule=constant")
    assert (again.trainer.max_steps, again.trainer.accumulate_grad_batches) == (2, 2)
    assert (again.corpus.path, again.schedule.warmup_steps) == (str(tmp_path / "tale.txt"), 2)
    assert again.schedule.name == ScheduleName.constant
    experiment = goes_on_with("experiment=warmup")  # says max_steps, warmup_steps and a rate; nothing of the rest
    assert (experiment.trainer.max_steps, experiment.schedule.warmup_steps) == (80, 0)
    assert (experiment.optimizer.lr, experiment.model.emb_dim, experiment.save) == (3e-3, 32, True)
    assert goes_on_with("optimizer=sgd").optimizer.lr == 0.1


def test_another_optimizer_is_another_run(tmp_path: Path) -> None:
    write_tale(tmp_path)
    assert train_here(tmp_path, *OPTIONS, "trainer.max_steps=1", "hydra.run.dir=part").code == 0
    done = train_here(tmp_path, "resume=part", "trainer.max_steps=2", "optimizer=sgd")
    assert done.code == 1
    assert "the optimizer was AdamW and is SGD" in done.err


def test_auto_starts_afresh_once_and_continues_from_then_on(tmp_path: Path, undisturbed: Finished) -> None:
    """What a scheduler needs that starts the same command again."""
    write_tale(tmp_path)
    command = (*OPTIONS, "resume=auto", "hydra.run.dir=job")
    assert train_here(tmp_path, *command, "trainer.max_steps=5", "schedule.total_steps=12").code == 0
    assert train_here(tmp_path, *command, "trainer.max_steps=12", "schedule.total_steps=12").code == 0
    again = train_here(tmp_path, *command, "trainer.max_steps=12", "schedule.total_steps=12")
    assert (again.code, again.err) == (0, "")
    assert "nothing left to do" in again.out
    first, second = weights(undisturbed.run), weights(tmp_path / "job")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_folder_that_holds_a_run_is_not_mixed_with_another(tmp_path: Path) -> None:
    write_tale(tmp_path)
    assert train_here(tmp_path, *OPTIONS, "trainer.max_steps=1", "hydra.run.dir=one").code == 0
    done = train_here(tmp_path, *OPTIONS, "trainer.max_steps=1", "hydra.run.dir=one")
    assert done.code == 1
    assert "holds a run already" in done.err


@pytest.mark.slow
def test_two_processes_continuing_one_folder_do_not_share_it(tmp_path: Path) -> None:
    import subprocess

    write_tale(tmp_path)
    assert train_here(tmp_path, *OPTIONS, "trainer.max_steps=2", "hydra.run.dir=one").code == 0
    command = [sys.executable, "-m", "lab.train", "resume=one", "hydra.run.dir=one", "trainer.max_steps=400"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as first:
        try:
            assert first.stdout is not None
            while "step   4/400" not in (line := first.stdout.readline()):
                assert line, "the first process ended before its first evaluation"
            second = lab(tmp_path, "train", "resume=one", "hydra.run.dir=one", "trainer.max_steps=4")
            assert second.code == 1
            assert "another process is training in" in second.err
        finally:
            first.kill()


def test_two_runs_from_one_checkpoint_are_two_folders_and_the_same_run(tmp_path: Path) -> None:
    write_tale(tmp_path)
    parent = train_here(tmp_path, *OPTIONS, "trainer.max_steps=2").run
    children = []
    for _ in range(2):
        done = train_here(tmp_path, f"resume={parent}", "trainer.max_steps=4")
        assert done.code == 0
        children.append(done.run)
    assert len({parent, *children}) == 3
    assert_same_run(*children)


def test_a_run_that_has_reached_its_end_says_how_to_prolong_it(tmp_path: Path) -> None:
    write_tale(tmp_path)
    parent = train_here(tmp_path, *OPTIONS, "trainer.max_steps=2").run
    done = train_here(tmp_path, "resume=last", f"hydra.run.dir={parent}")
    assert done.code == 1
    assert "step 2 of 2" in done.err
    assert json.loads((parent / "state.json").read_text())["state"] == "finished"  # not: failed
    assert "trainer.max_steps" in done.err


ODD_LINES = (
    *(b"[1]", b"5", b"null", b'"x"', b"{}", b"[" * 100_000, b'{"seq": ' + b"9" * 5000 + b"}", b"\xff"),
    b'{"seq": "a", "kind": "metrics", "step": 1}',
    b'{"seq": true, "kind": "metrics", "step": 1}',
    b'{"seq": 1, "kind": 1, "step": 1}',
    b'{"seq": 1, "kind": "metrics"}',
    b'{"seq": 1, "kind": "metrics", "step": "1"}',
    b'{"seq": 1, "kind": "metrics", "step": 1, "time": "now"}',
    b'{"seq": 1, "kind": "sample", "step": 1}',
    b'{"seq": 1, "kind": "sample", "step": 1, "text": 5}',
)


def test_lines_of_the_log_that_are_no_events_are_passed_over(undisturbed: Finished, tmp_path: Path) -> None:
    write_tale(tmp_path)
    shutil.copytree(undisturbed.run, tmp_path / "parent")
    log = tmp_path / "parent" / "events.jsonl"
    odd_value = (
        b'{"seq": 99999, "kind": "metrics", "step": 2, "note": "x", "list": [1], "huge": 1' + b"0" * 400 + b"}\n"
    )
    log.write_bytes(b"\n".join([*ODD_LINES, log.read_bytes()]) + odd_value)
    path = tmp_path / "parent" / "checkpoints" / "step-00000009.ckpt"
    done = train_here(tmp_path, f"resume={path}", "hydra.run.dir=child")
    assert done.code == 0, done.err
    assert scalars(tmp_path / "child")["train_loss"] == scalars(undisturbed.run)["train_loss"]


@pytest.mark.parametrize("changes", [{"best_val_loss": x} for x in ("x", None, [1], True)] + [{"versions": [1]}])
def test_results_that_say_nothing_are_no_traceback(changes: Any, undisturbed: Finished, tmp_path: Path) -> None:
    write_tale(tmp_path)
    shutil.copytree(undisturbed.run, tmp_path / "job")
    results = tmp_path / "job" / "results.json"
    results.write_text(json.dumps(json.loads(results.read_text()) | changes))
    done = train_here(tmp_path, *OPTIONS, "resume=auto", "hydra.run.dir=job")
    assert (done.code, done.err) == (0, "")
    assert "nothing left to do" in done.out


def test_results_that_cannot_be_read_are_not_a_runs(undisturbed: Finished, tmp_path: Path) -> None:
    write_tale(tmp_path)
    shutil.copytree(undisturbed.run, tmp_path / "job")
    (tmp_path / "job" / "results.json").write_text("[" * 100_000)
    done = train_here(tmp_path, *OPTIONS, "resume=auto", "hydra.run.dir=job")
    assert done.code == 1
    assert "no run has written" in done.err
    assert len(done.err.strip().splitlines()) == 1
