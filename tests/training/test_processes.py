"""Two processes are one run: the same losses, one folder, one log; they obey, resume and end together."""

import errno
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from support.commands import Finished, train_here
from support.runs import STEPS, weights
from support.several import (
    ALONE,
    SAME,
    TWO,
    assert_one_run,
    assert_same_curve,
    begun,
    curve,
    ended,
    folder,
    found,
    here,
    sends,
)

from lab.runs import checkpoint
from lab.runs.newest import step_of
from lab.runs.state import read_state
from lab.system import ranks


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of one process."""
    return here(folder(tmp_path_factory.mktemp("alone")), *SAME, *ALONE).folder / "run"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The same run of two, of which the first is this very process."""
    return here(folder(tmp_path_factory.mktemp("pair")), *SAME, *TWO)


def test_two_processes_learn_what_one_learns(pair: Finished, alone: Path) -> None:
    """Dropout included. Validation is over every token once although one of them scores two batches of three; so is a
    metric of the user's own."""
    run = pair.folder / "run"
    assert_same_curve(alone, run)
    one, two = weights(alone), weights(run)
    assert all(torch.allclose(one[name], two[name], atol=1e-5) for name in one)
    told = [json.loads((folder / "results.json").read_text()) for folder in (alone, run)]
    assert told[0]["tokens_seen"] == told[1]["tokens_seen"] == STEPS * 6 * 16
    assert told[0]["steps"] == told[1]["steps"] == STEPS


def test_two_processes_leave_one_run(pair: Finished) -> None:
    run = pair.folder / "run"
    assert_one_run(run)
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == [
        "best.ckpt",
        *("last.ckpt", "step-00000004.ckpt", "step-00000008.ckpt", "step-00000012.ckpt", "weights-00000000.ckpt"),
    ]
    assert read_state(run).state == "finished"
    assert read_state(run).pid == os.getpid()
    assert not list(pair.folder.glob("outputs"))
    assert "3 windows of 16 tokens, on each of 2 devices (ddp)" in pair.out
    assert pair.out.count("validation loss") == 1
    assert pair.err == ""
    assert "trainer.devices=2" in pair.out  # typed again, it would be the same run
    assert ranks.mine().is_alone  # this process is what it was


@pytest.mark.slow
def test_a_disk_that_is_full_ends_all_with_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Only the first process writes. The others wait for it meanwhile, and have nothing to say."""

    save = checkpoint.save

    def full(*given: Any, **named: Any) -> None:
        if any(isinstance(one, dict) and one.get("global_step") == 0 for one in (*given, *named.values())):
            return save(*given, **named)  # there was room for the untrained weights
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(checkpoint, "save", full)
    with found():
        done = train_here(folder(tmp_path), *SAME, *TWO)
    assert done.code == 1
    assert done.err.startswith("error: the checkpoint of step 4 could not be written to")
    assert len(done.err.splitlines()) == 1
    assert capfd.readouterr().err == ""  # that of the other process
    assert read_state(tmp_path / "run").state == "failed"


@pytest.mark.slow
def test_a_signal_to_any_process_stops_all_and_any_number_of_them_goes_on(alone: Path, tmp_path: Path) -> None:
    with found():
        done = train_here(folder(tmp_path), *SAME, *TWO, *sends(1, 5, "SIGTERM"))
    assert done.code == 128 + signal.SIGTERM
    run = tmp_path / "run"
    assert read_state(run).state == "stopped"
    assert read_state(run).reason == "SIGTERM"
    assert step_of(run / "checkpoints" / "last.ckpt") == read_state(run).step
    assert 5 <= (read_state(run).step or 0) <= 6
    assert_one_run(run)
    # Alone, and with as many as before.
    here(tmp_path, "resume=run", *ALONE, "trainer.devices=1", "hydra.run.dir=one", "callbacks=none", "parts=mine.py")
    here(tmp_path, "resume=run", "hydra.run.dir=two", "callbacks=none", "parts=mine.py")
    for name in ("one", "two"):
        assert_same_curve(alone, tmp_path / name)
        assert_one_run(tmp_path / name)


@pytest.mark.slow
def test_exact_resume_and_commands_obeyed_once(pair: Finished, tmp_path: Path) -> None:
    """Whatever is asked of it on the way, a run of two ends at the same bits."""
    place = folder(tmp_path)
    (place / "mine.py").write_text((place / "mine.py").read_text() + _ASK)
    with found():
        here(
            place, *SAME, *TWO, "+callbacks.ask._target_=mine.py:Ask", "trainer.max_steps=7", "schedule.total_steps=12"
        )
    run = place / "run"
    assert_one_run(run)
    assert not list((run / "commands").iterdir())
    saved = sorted(path.name for path in (run / "checkpoints").glob("saved-*"))
    assert saved == ["saved-00000003.ckpt"]
    assert [step for step, name in curve(run) if name == "val_loss"] == [0, 3, 4, 7]
    words = ("resume=run/checkpoints/saved-00000003.ckpt", "trainer.max_steps=12", "eval_every=4", "callbacks=none")
    here(place, *words, "hydra.run.dir=again", "parts=mine.py")
    first, second = weights(pair.folder / "run"), weights(place / "again")
    assert all(torch.equal(first[name], second[name]) for name in first)


_ASK = '''

class Ask(L.Callback):
    """Asks for everything at once, after step 2."""

    def on_train_batch_start(self, trainer, module, *_):
        if trainer.global_step == 2 and trainer.is_global_zero:
            from pathlib import Path

            from lab.runs import command_files

            for command in ("pause", "save", "evaluate"):
                command_files.send(Path("run"), command)
            inbox = Path("run/commands")
            (inbox / "99999999999999999999-1-resume").write_text("")
'''


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_one_that_is_killed_ends_all(rank: int, tmp_path: Path) -> None:
    process = begun(folder(tmp_path), "lab.train", *SAME, *TWO, *sends(rank, 6, "SIGKILL"))
    done = ended(process)
    run = tmp_path / "run"
    assert done.code == (1 if rank else -signal.SIGKILL)
    (said,) = [line for line in done.err.splitlines() if line.startswith("error")]
    assert "and with it the run: continue it with resume=" in said
    assert ("process 1 of 2 (from 0) has ended by SIGKILL" in said) == bool(rank)
    assert "Traceback" not in done.err
    assert read_state(run).state == ("failed" if rank else "lost")
    assert step_of(run / "checkpoints" / "last.ckpt") == 4


@pytest.mark.slow
def test_torchrun_starts_one_run(alone: Path, tmp_path: Path) -> None:
    """All at once, and with nothing said of devices. The folder is one that nobody has typed."""
    place = folder(tmp_path)
    command = ("torch.distributed.run", "--standalone", "--nproc_per_node=2", "-m", "lab.train")
    done = ended(begun(place, *command, *SAME[:-1], TWO[0]))
    assert done.code == 0, done.err
    (run,) = place.glob("outputs/*/*")
    assert_same_curve(alone, run)
    assert_one_run(run)
    assert done.out.count("validation loss") == 1
    refused = ended(begun(place, *command, *SAME[:-1], "trainer.devices=3"))
    assert refused.code == 1
    said = [line for line in refused.err.splitlines() if line.startswith("error")]
    assert said == [
        "error: torchrun has started 2 processes for trainer.devices=3: give torchrun --nproc_per_node=3, or leave "
        "out trainer.devices"
    ]


@pytest.mark.slow
def test_srun_starts_one_run_on_two_machines(alone: Path, tmp_path: Path) -> None:
    """Two machines that are one. Warned, the job is queued again, once, and goes on in the same folder."""
    place = folder(tmp_path)
    script = place / "bin" / "scontrol"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\necho "$@" >> "{place}/asked"\n')
    script.chmod(0o755)
    job = {"SLURM_JOB_ID": "4711", "SLURM_JOB_NAME": "train", "SLURM_NTASKS": "2", "SLURM_STEP_NUM_TASKS": "2"}
    job |= {"SLURM_STEP_NUM_NODES": "2", "SLURM_STEP_TASKS_PER_NODE": "1(x2)", "SLURM_NODELIST": "127.0.0.1"}
    job |= {"PATH": f"{script.parent}{os.pathsep}{os.environ['PATH']}", "SLURM_LOCALID": "0"}

    def started(*words: str) -> list[Finished]:
        places = [{"SLURM_PROCID": str(rank), "SLURM_NODEID": str(rank)} for rank in range(2)]
        tasks = [begun(place, "lab.train", *SAME, TWO[0], "resume=auto", *words, **job, **told) for told in places]
        return [ended(task) for task in tasks]

    warned = started(*sends(1, 5, "SIGUSR1"))
    assert [done.code for done in warned] == [128 + signal.SIGUSR1] * 2, warned
    assert (place / "asked").read_text() == "requeue 4711\n"
    again = started("parts=mine.py", "callbacks=none")
    assert [done.code for done in again] == [0, 0], again
    assert [done.out.count("validation loss") for done in again] == [1, 0]
    assert "on each of 1 devices on each of 2 machines" in again[0].out
    assert_same_curve(alone, place / "run")
    assert_one_run(place / "run")
    assert [done.code for done in started("parts=mine.py")] == [0, 0]  # nothing left to do
