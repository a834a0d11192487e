"""trainer.precision=auto: what it comes to, and that whatever reads the option sees that."""

from pathlib import Path

import pytest
import torch
import yaml
from support.commands import TINY, inside, scalars, train_here
from support.runs import OPTIONS, assert_same_run, weights, write_tale

from lab import find_lr
from lab.config import precision
from lab.config.compose import compose_config
from lab.config.schema import TrainerConfig, check
from lab.system import bfloat16
from lab.training import memory_estimate

BYTES = (*(word for word in OPTIONS if word != "trainer=cpu"), "trainer.accelerator=cpu", "tokenizer=bytes")
"""A run that takes what auto gives it, with a vocabulary that is small enough for bf16 without hardware for it."""


@pytest.fixture
def has_bf16(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A processor that has bf16, or torch says so; another answer can be put in its place."""
    monkeypatch.setattr(bfloat16, "native", lambda: (True, "this processor is fast"))
    return monkeypatch


def test_a_run_keeps_what_was_chosen_where_it_began(tmp_path: Path, has_bf16: pytest.MonkeyPatch) -> None:
    """Continued on a machine that would have chosen otherwise, it is the run that nobody interrupted, bit for bit."""
    write_tale(tmp_path)
    whole = train_here(tmp_path, *BYTES, "hydra.run.dir=whole")
    assert whole.code == 0, whole.err
    said = " ".join(whole.out.split())
    assert "bf16-mixed auto: this processor is fast" in said
    assert "trainer.precision=" not in said  # nobody has changed it
    part = train_here(tmp_path, *BYTES, "trainer.max_steps=7", "schedule.total_steps=12", "hydra.run.dir=part")
    assert part.code == 0, part.err
    has_bf16.setattr(bfloat16, "native", lambda: (False, "this processor has no bf16"))
    done = train_here(tmp_path, "resume=part", "trainer.max_steps=12", "hydra.run.dir=rest")
    assert done.code == 0, done.err
    assert yaml.safe_load((tmp_path / "rest" / "config.yaml").read_text())["trainer"]["precision"] == "bf16-mixed"
    said = " ".join(done.out.split())
    assert "this processor has no bf16: trainer.precision=32-true is faster" in said
    assert "trainer.precision=bf16-mixed" in said  # here it is no longer what the defaults come to
    first, second = weights(tmp_path / "whole"), weights(tmp_path / "rest")
    assert all(torch.equal(first[name], second[name]) for name in first)
    curves = [scalars(tmp_path / name)["train_loss"] for name in ("whole", "rest")]
    assert curves[0] == curves[1]


def test_without_bf16_it_is_the_run_in_fp32_and_can_be_switched_off(
    tmp_path: Path, has_bf16: pytest.MonkeyPatch
) -> None:
    write_tale(tmp_path)
    words = (*BYTES, "trainer.max_steps=3")
    off = train_here(tmp_path, *words, "trainer.precision=32-true", "hydra.run.dir=off")
    assert "32-true" in off.out
    assert "auto" not in off.out
    has_bf16.setattr(bfloat16, "native", lambda: (False, "this processor has no bf16"))
    done = train_here(tmp_path, *words, "hydra.run.dir=auto")
    assert "auto: this processor has no bf16" in done.out
    assert_same_run(tmp_path / "off", tmp_path / "auto")


@pytest.mark.parametrize(
    ("options", "supported", "expected"),
    [
        (TrainerConfig(accelerator="gpu"), True, "bf16-mixed"),
        (TrainerConfig(accelerator="gpu"), False, "32-true"),
        (TrainerConfig(accelerator="mps"), True, "32-true"),
        (TrainerConfig(accelerator="cpu"), False, "bf16-mixed"),
        (TrainerConfig(accelerator="cpu", devices=2), True, "32-true"),
    ],
)
def test_what_it_comes_to(options: TrainerConfig, supported: bool, expected: str, has_bf16: pytest.MonkeyPatch) -> None:
    """``supported`` is what torch says of a GPU; the processor has bf16."""
    has_bf16.setattr(torch.cuda, "is_available", lambda: True)
    has_bf16.setattr(torch.cuda, "is_bf16_supported", lambda *_: supported)
    assert precision.resolved(options) == expected
    assert options.precision == "auto"
    assert precision.settle(options)
    assert options.precision == expected


def test_those_who_read_the_option_see_what_it_comes_to(tmp_path: Path, has_bf16: pytest.MonkeyPatch) -> None:
    """The estimate of the memory, and with it the summary and the page; the search for a learning rate."""
    words = ["trainer.accelerator=cpu"]
    auto, asked = (check(compose_config([*words, *more])) for more in ((), ("trainer.precision=bf16-mixed",)))
    assert memory_estimate.training_memory(auto) == memory_estimate.training_memory(asked)
    write_tale(tmp_path)
    rate = ("corpus=text", "corpus.path=tale.txt", "tokenizer=bytes", "--steps", "20")
    small = [word for word in TINY if word not in ("trainer=cpu", "sample.max_tokens=4")]
    found = [
        inside(find_lr.main, tmp_path, *small, *words, *rate, f"trainer.precision={one}")
        for one in ("auto", "bf16-mixed", "32-true")
    ]
    assert found[0][1] == found[1][1]
    assert found[0][1] != found[2][1]
