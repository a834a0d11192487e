"""The benchmark through its command line: its sides in processes of their own, in turns, and what it refuses."""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support.commands import inside
from support.rivals import write_nanogpt

from lab import bench
from lab.benchmark import cases

SMALL = (
    *("model.emb_dim=32", "model.n_layers=2", "model.n_heads=2", "model.context_length=16", "data.max_val_tokens=300"),
    *("threads=1", "others=1", "compile=false"),
)
"""Tiny models; and the other tests are no disturbance."""


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other package is installed: importing transformers takes longer than all steps here."""
    monkeypatch.setattr(cases, "find_spec", lambda name: None)


def measured(folder: Path, *words: str) -> tuple[list[dict[str, Any]], str, str]:
    """The cases in the file that the command writes, and what it prints."""
    code, out, err = inside(bench.main, folder, *SMALL, *words, "to=figures.json")
    assert code == 0, out + err
    return json.loads((folder / "figures.json").read_text())["cases"], out, err


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
def test_training_is_measured_in_turns_beside_a_model_of_the_same_size(tmp_path: Path) -> None:
    write_nanogpt(tmp_path / "theirs")
    (case,), out, _ = measured(tmp_path, "what=training", "pairs=3", "nanogpt=theirs", "to=picture.svg")
    assert [side["side"] for side in case["sides"]] == ["lab", "nanogpt", "products"]
    orders = [one["order"] for one in case["rounds"]]
    assert all(order == list(reversed(next_one)) for order, next_one in pairwise(orders))
    assert [one["counts"] for one in case["rounds"]] == ["no: warm-up"] * 2 + ["yes"] * 3
    ours, theirs, products = case["sides"]
    assert ours["facts"]["parameters"] == theirs["facts"]["parameters"]
    for side in (ours, theirs):
        assert side["facts"]["first_loss"] == pytest.approx(math.log(50257), abs=0.5)
        assert side["rate"] == pytest.approx(64 / side["seconds"]["median"])
        assert side["share_of_limit"]["median"] > 0
    ratios = [
        one["samples"]["nanogpt"]["seconds"] / one["samples"]["lab"]["seconds"]
        for one in case["rounds"]
        if one["counts"] == "yes"
    ]
    assert theirs["times_lab"]["median"] == pytest.approx(sorted(ratios)[1])
    assert min(side["peak"] for side in case["sides"]) > 10_000_000
    assert products["facts"]["flops"] > 0
    assert case["notes"] == []
    assert "nanogpt" in out
    assert "<svg" in (tmp_path / "picture.svg").read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
def test_a_rival_that_fails_is_left_out_with_its_reason(tmp_path: Path) -> None:
    write_nanogpt(tmp_path / "theirs", breaks="raise RuntimeError('no such kernel')")
    (case,), out, err = measured(tmp_path, "what=training", "--pairs", "1", "nanogpt=theirs")
    by_name = {side["side"]: side for side in case["sides"]}
    assert by_name["nanogpt"]["error"] == "RuntimeError: no such kernel"
    assert by_name["nanogpt"]["seconds"] is None
    assert by_name["lab"]["rate"] > 0
    assert by_name["products"]["rate"] is not None
    assert "nanogpt: RuntimeError: no such kernel" in out
    assert "nanogpt is left out of training" in err


@pytest.mark.slow
def test_tokenization_is_measured_on_the_same_tokens(tmp_path: Path) -> None:
    (case,), out, _ = measured(tmp_path, "what=tokenization", "pairs=1", "corpus=fables")
    ours, theirs = case["sides"]
    assert (ours["side"], theirs["side"]) == ("lab", "tiktoken")
    assert ours["facts"] == theirs["facts"]
    assert ours["facts"]["bytes"] > 7_000_000
    assert ours["rate"] == pytest.approx(ours["facts"]["bytes"] / ours["seconds"]["median"])
    assert "hugging-face" not in out


@pytest.mark.slow
def test_everything_is_measured_beside_hugging_face(tmp_path: Path) -> None:
    write_nanogpt(tmp_path / "theirs")
    words = ("what=generation,loading,startup,overhead", "weights=fp32,int8", "pairs=1", "nanogpt=theirs")
    found, out, _ = measured(tmp_path, *words)
    sides = {(case["what"], case["label"].split(", ")[-1]): [side["side"] for side in case["sides"]] for case in found}
    both = ["lab", "hugging-face", "nanogpt"]
    assert sides == {
        ("generation", "fp32"): [*both, "memory"],
        ("generation", "int8"): ["lab", "memory"],
        ("loading", "batch 4 x 16"): ["lab", "slices"],
        ("startup", "nano"): both,
        ("overhead", "batch 4 x 16"): ["lab", "bare"],
        ("overhead", "batch 4 x 64"): ["lab", "bare"],
    }
    fp32, int8 = (next(s["facts"]["bytes"] for s in case["sides"] if s["side"] == "memory") for case in found[:2])
    assert 0.5 < int8 / fp32 < 0.53  # a byte in place of four, rows of 32 filled up to 64, and the scales
    assert "of its memory's speed" in out
    for case in found:
        for side in case["sides"]:
            assert side["error"] is None
            assert side["seconds"]["median"] > 0
            assert side["peak"] > 0
    (start,) = (case for case in found if case["what"] == "startup")
    assert [one["counts"] for one in start["rounds"]] == ["no: warm-up", "yes"]
    assert start["sides"][0]["facts"]["seconds_of_the_first_evaluation"] > 0


@pytest.mark.slow
def test_number_formats_are_measured(tmp_path: Path) -> None:
    found, out, _ = measured(tmp_path, "what=training", "pairs=1", "precision=32-true,bf16-mixed,bf16-true")
    assert len(found) == 3
    for case in found:
        assert {side["error"] for side in case["sides"]} == {None}
        ours, theirs, _ = case["sides"]
        assert ours["facts"]["parameters"] == theirs["facts"]["parameters"]
    assert "bf16-true, eager" in out


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("trainer.precision=bf16-mixed", "trainer.precision: lab.bench measures several of them: write precision="),
        ("trainer.compile=true", "write compile= in its place"),
        ("precision=16-mixed", "precision=16-mixed is for GPUs"),
        ("precision=8", "precision=8 does not fit: give of 32-true"),
        ("what=training,sleep", "what=training,sleep does not fit"),
        ("model=", "model= does not fit"),
        ("model=llama_nano", "lab.bench measures beside transformers' GPT-2: model."),
        ("optimizer=muon", "optimizer._target_: lab.bench takes plain steps"),
        ("trainer.accumulate_grad_batches=2", "trainer.accumulate_grad_batches: lab.bench takes plain steps"),
        ("nanogpt=nowhere", "nanogpt=nowhere has no model.py"),
        ("to=figures.doc", "has no ending that says what to write"),
        ("to=taken", "taken.svg is there already"),
    ],
)
def test_what_is_not_measured_is_refused(word: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "taken.svg").write_text("mine")
    code, out, err = inside(bench.main, tmp_path, word)
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert said in err
    assert err.count("\n") == 1
