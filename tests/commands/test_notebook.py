"""The Python door: ``from lab import run``."""

import json
import logging
import math
import os
import random
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from support.commands import ROOT, TINY, train_here
from support.runs import assert_same_run, write_tale

from lab import run, verdict
from lab.errors import LabError
from lab.runs.command_files import send
from lab.system.signals import ENDING

FEW = (*TINY, "corpus=text", "corpus.path=tale.txt", "trainer.max_steps=4", "eval_every=2", "model.drop_rate=0.2")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tale(tmp_path)
    monkeypatch.chdir(tmp_path)


def global_state() -> dict[str, Any]:
    """What a library may be expected to leave alone."""
    return {
        "argv": list(sys.argv),
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "signals": [signal.getsignal(number) for number in ENDING],
        "hydra": (GlobalHydra.instance().hydra, HydraConfig.instance().cfg),
        "warnings": (list(warnings.filters), warnings.showwarning),
        "random": (random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()),
        "torch": (torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled()),
        "choices": (torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision()),
        "handlers": list(logging.getLogger().handlers),
        "levels": [logging.getLogger(name).level for name in ("", "lightning", "lightning.pytorch", "hydra")],
        "streams": (sys.stdout, sys.stderr, sys.excepthook),
        "threads": {thread.name for thread in threading.enumerate()},
    }


def test_it_is_the_command_line_bit_for_bit(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    random.seed(5)  # whatever has been drawn before
    torch.rand(3)
    outcome = run([*FEW, "save=true"])
    assert capfd.readouterr() == ("", "")
    assert outcome.folder.parent.parent == tmp_path / "outputs"
    assert outcome.folder.name.endswith("-nano-text")
    typed = train_here(tmp_path, *FEW, "save=true", "hydra.run.dir=typed")
    assert typed.code == 0, typed.err
    assert_same_run(outcome.folder, tmp_path / "typed")
    stored = torch.load(tmp_path / "typed" / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    mine = outcome.model.state_dict()
    assert all(torch.equal(mine[name.removeprefix("model.")], stored[name]) for name in stored)
    assert not outcome.model.training
    told = json.loads((tmp_path / "typed" / "results.json").read_text())
    assert outcome.results.val_loss == told["val_loss"]


def test_the_curves_are_a_table(tmp_path: Path) -> None:
    outcome = run([*FEW, "log_every=1"], folder="mine")
    assert outcome.folder == tmp_path / "mine"
    assert {len(values) for values in outcome.curves.values()} == {5}
    assert outcome.curves["step"] == [0, 1, 2, 3, 4]
    assert [math.isnan(value) for value in outcome.curves["val_loss"]] == [False, True, False, True, False]
    assert outcome.curves["tokens_seen"][1:] == [64, 128, 192, 256]
    assert outcome.curves["val_loss"][-1] == pytest.approx(outcome.results.val_loss, rel=1e-6)


def test_nothing_global_is_left_behind() -> None:
    run(FEW)  # what importing does, it does once
    before = global_state()
    run([*FEW, "trainer.precision=bf16-true"])
    after = global_state()
    for name, value in before.items():
        assert after[name] == value, name
    with pytest.raises(LabError):
        run([*FEW, "optimizer.lr=1e30"])
    with pytest.raises(LabError):
        run(["optimizer.lrr=1"])
    after = global_state()
    for name, value in before.items():
        assert after[name] == value, name


def test_two_runs_at_once_do_not_disturb_each_other() -> None:
    alone = [run([*FEW, f"seed={seed}"]).results.val_loss for seed in (1, 2)]
    found: dict[int, float | None] = {}

    def work(seed: int) -> None:
        found[seed] = run([*FEW, f"seed={seed}"], folder=f"thread-{seed}").results.val_loss

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[1], found[2]] == alone
    assert alone[0] != alone[1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("model=nano seed=1", r"write run\(\['model=nano', 'seed=1'\]\)"),
        (["-m", "seed=1,2"], "-m is no option of a single run"),
        (["sweep=lr"], "sweeps are for the command line"),
        (["model.nlayers=2"], "did you mean model.n_layers"),
        (["seed=1,2"], "seed=1,2 has several values"),
        ([*TINY, "trainer.devices=2"], "several devices are for the command line"),
        ([*TINY, "optimizer.lr=-1"], "optimizer.lr=-1 is out of range"),
        ([*TINY, "corpus=text", "corpus.path=nowhere.txt"], "nowhere.txt"),
        ([*TINY, "resume=nowhere"], "nowhere"),
    ],
)
def test_mistakes_are_raised_and_leave_nothing(tmp_path: Path, words: Any, sentence: str) -> None:
    with pytest.raises(LabError, match=sentence):
        run(words)
    assert [path.name for path in tmp_path.iterdir()] == ["tale.txt"]


def test_a_run_goes_on_as_it_does_from_the_command_line() -> None:
    first = run([*FEW, "save=true"])
    longer = run([f"resume={first.folder}", "trainer.max_steps=6"])
    assert longer.results.steps == 6
    assert longer.curves["step"][-1] == 6
    again = run(["resume=auto", "save=true", *FEW], folder=first.folder)
    assert all(torch.equal(a, b) for a, b in zip(again.model.parameters(), first.model.parameters(), strict=True))


def test_ctrl_c_ends_a_run_in_good_order(between_steps: Any) -> None:
    between_steps((signal.SIGINT,))
    with pytest.raises(KeyboardInterrupt):
        run([*FEW, "save=true"], folder="mine")
    told = json.loads(Path("mine", "results.json").read_text(encoding="utf-8"))
    assert (told["status"], told["steps"]) == ("interrupted", 2)
    assert Path("mine", "checkpoints", "last.ckpt").is_file()


def test_a_run_that_is_told_to_stop_returns_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from lab.training import run_control

    real = run_control.write_state
    sent: list[Path] = []

    def stop(folder: Path, *state: Any, **told: Any) -> None:
        real(folder, *state, **told)
        if not sent and told.get("step") == 0:
            sent.append(folder)
            send(folder, "stop")

    monkeypatch.setattr(run_control, "write_state", stop)
    outcome = run(FEW)
    assert (outcome.results.status, outcome.results.steps) == ("interrupted", 1)


def test_a_verdict_of_outcomes_and_folders() -> None:
    sides = [[run([*FEW, f"seed={seed}", f"optimizer.lr={lr}"]) for seed in (1, 2)] for lr in (1e-5, 2e-2)]
    found = verdict(sides[0], [outcome.folder for outcome in sides[1]])
    assert (found.verdict, found.side.label) == ("better", "B (optimizer.lr=0.02)")
    with pytest.raises(LabError, match="a run on each side"):
        verdict(sides[0], [])


def test_a_run_within_a_run_is_refused() -> None:
    with pytest.raises(LabError, match="a run within a run"):
        run([*FEW, "+callbacks.inner._target_=support.callbacks.RunsAnother"])


def test_importing_the_lab_stays_light() -> None:
    code = "import sys, lab; print(lab.__version__, {'torch', 'hydra', 'lightning'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.endswith(" set()\n")
    with pytest.raises(ImportError, match="cannot import name 'rum'"):
        exec("from lab import rum")
