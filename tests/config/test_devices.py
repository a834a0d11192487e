"""How many devices: typed, found, or decided by what has started the processes."""

from pathlib import Path

import pytest
import torch
from support.commands import train_here

from lab.config import compose
from lab.config.devices import of_launcher, with_words
from lab.config.schema import check
from lab.errors import LabError
from lab.system.ranks import Place


@pytest.mark.parametrize(
    ("words", "processes"),
    [
        ([], 1),
        (["trainer.devices=3"], 3),
        (["trainer.devices=auto"], 5),
        (["trainer=ddp"], 5),
        (["trainer=fsdp", "trainer.num_nodes=2"], 10),
        (["trainer=ddp", "trainer.accelerator=cpu"], 1),
        (["trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2"], 2),
    ],
)
def test_auto_is_all_gpus(words: list[str], processes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 5)
    trainer = check(compose.compose_config(words)).trainer
    assert trainer.processes == processes
    assert isinstance(trainer.devices, int)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("trainer.devices=zwei", "give a number, or auto for all GPUs"),
        ("trainer.devices=2.5", "trainer.devices=2.5 does not fit: it must be a whole number, or auto"),
        ("trainer.devices=0", "trainer.devices=0 is out of range"),
        ("trainer.num_nodes=0", "trainer.num_nodes=0 is out of range"),
        ("trainer.strategy=dpp", "trainer.strategy=dpp is unknown: choose one of auto, ddp, fsdp"),
    ],
)
def test_what_makes_no_sense_is_said(word: str, said: str) -> None:
    with pytest.raises(LabError, match=said):
        check(compose.compose_config([word]))


def test_an_optimizer_that_needs_whole_matrices() -> None:
    words = ["trainer.strategy=fsdp", "optimizer=muon"]
    assert check(compose.compose_config(words))  # on one device
    with pytest.raises(LabError, match=r"needs whole ones: take optimizer=adamw, or trainer\.strategy=ddp"):
        check(compose.compose_config([*words, "trainer.devices=2"]))


def test_several_machines_have_to_be_started(tmp_path: Path) -> None:
    done = train_here(tmp_path, "trainer.num_nodes=2", "trainer.devices=2")
    assert done.code == 1
    assert done.err.startswith("error: trainer.num_nodes=2: a process must be started for each device")
    assert "torchrun --nnodes=2 --nproc_per_node=2 -m lab.train" in done.err
    assert list(tmp_path.rglob("*")) == []


def test_what_has_started_the_processes_decides() -> None:
    place = Place(3, 8, 1, 2, "torchrun")
    there = ["trainer.devices=2", "trainer.num_nodes=4"]
    for words in ([], there, ["trainer=ddp", "trainer.devices=auto"]):
        assert of_launcher(words, place) == there
    with pytest.raises(LabError, match=r"2 processes on each machine for trainer.devices=8: give torchrun --nproc_per"):
        of_launcher(["trainer.devices=8"], place)
    with pytest.raises(LabError, match=r"processes on 4 machines for trainer.num_nodes=2: give torchrun --nnodes=2"):
        of_launcher(["trainer.num_nodes=2"], place)


def test_what_is_settled_replaces_what_was_typed() -> None:
    typed = ["model=small", "resume=last", "+trainer.devices=auto", "hydra.run.dir=a"]
    assert with_words(typed, ["resume=null", "trainer.devices=2"]) == [
        *("model=small", "hydra.run.dir=a"),
        *("resume=null", "trainer.devices=2"),
    ]
