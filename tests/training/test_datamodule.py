"""Batches of a run: passes are counted, and nobody who looks on changes them."""

import json
import math
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from support.batches import numbered, values
from support.commands import inside, scalars, tiny, train_here
from torch.utils.data import DataLoader

from lab import evaluate
from lab.config.schema import DataConfig
from lab.data import shuffle
from lab.data.windows import Batch
from lab.training.datamodule import LabData


def test_a_continued_run_counts_its_passes_as_they_were(tmp_path: Path) -> None:
    tiny(tmp_path, "trainer.max_steps=2", "data.max_train_tokens=161", "save=true")
    done = tiny(tmp_path, "resume=last", "trainer.max_steps=4", "data.batch_size=6")
    assert "steps      2 more of 96 tokens, 2 passes over 10 windows in all" in done.out


def test_dropout_and_shuffling_do_not_depend_on_evaluations_or_workers(tmp_path: Path) -> None:
    options = ("trainer.max_steps=6", "log_every=1", "model.drop_rate=0.3")
    plain = scalars(tiny(tmp_path, *options, "eval_every=6").run)
    often = scalars(tiny(tmp_path, *options, "eval_every=1", "sample.max_tokens=9").run)
    workers = scalars(tiny(tmp_path, *options, "eval_every=6", "data.num_workers=2").run)
    assert plain["train_loss"] == often["train_loss"] == workers["train_loss"]


def test_epochs_count_passes_over_the_windows(tmp_path: Path) -> None:
    text = tmp_path / "t.txt"
    text.write_text("one two three four five six seven eight nine ten " * 100)
    done = tiny(tmp_path, "corpus=text", "corpus.path=t.txt", "trainer.max_epochs=2", "log_every=1")
    n_windows = (int(1000 * 0.9) - 1) // 16
    assert done.results["steps"] == math.ceil(2 * n_windows / 4)
    last = max(scalars(done.run)["epoch"].items())
    assert last == (done.results["steps"], pytest.approx(done.results["steps"] * 4 / n_windows))


def validation(data: LabData) -> DataLoader[Batch]:
    loader = data.val_dataloader()
    assert isinstance(loader, DataLoader)
    return loader


def test_training_and_validation_share_no_token() -> None:
    data = LabData(numbered(1000), DataConfig(batch_size=3, stride=5), 16, seed=0)
    trained = values(list(islice(data.train_dataloader(), 200)))  # several epochs
    validated = values(list(validation(data)))
    assert trained.isdisjoint(validated)
    assert validated == set(range(900, 1000))
    assert trained == set(range(int(max(trained)) + 1))
    assert max(trained) > 890  # but for what fills no window, all the rest


@pytest.mark.parametrize("stride", [None, 5])
def test_validation_scores_each_token_once_whatever_the_batch(stride: int | None) -> None:
    for batch_size in (1, 3, 100):
        data = LabData(numbered(1000), DataConfig(batch_size=batch_size, stride=stride), 16, seed=0)
        targets = torch.cat([targets.flatten() for _, targets in validation(data)])
        assert targets.tolist() == list(range(901, 1000))


def test_max_train_tokens_takes_the_piece_next_to_the_validation_text() -> None:
    data = LabData(numbered(1000), DataConfig(batch_size=2, max_train_tokens=100), 16, seed=0)
    assert data.pieces[0].train.tolist() == list(range(800, 900))
    assert data.pieces[0].val.tolist() == list(range(900, 1000))
    assert values(list(islice(data.train_dataloader(), 20))) <= set(range(800, 900))


@pytest.mark.parametrize("num_workers", [0, 2])
def test_the_training_batches_are_endless_and_whole(num_workers: int) -> None:
    data = LabData(numbered(500), DataConfig(batch_size=4, num_workers=num_workers), 16, seed=0)
    batches = list(islice(data.train_dataloader(), 30))
    assert len(batches) == 30
    for inputs, targets in batches:
        assert inputs.shape == targets.shape == (4, 16)
        assert inputs.dtype == targets.dtype == torch.int64
        assert torch.equal(targets, inputs + 1)


def test_workers_seeds_and_shuffling() -> None:
    def batches(seed: int = 0, **options: object) -> list[list[int]]:
        data = LabData(numbered(500), DataConfig(batch_size=4, **options), 16, seed)  # type: ignore[arg-type]
        return [inputs[:, 0].tolist() for inputs, _ in islice(data.train_dataloader(), 15)]

    assert batches() == batches() == batches(num_workers=2)
    assert batches() != batches(seed=1)
    in_order = [row for batch in batches(shuffle=False) for row in batch]
    n_windows = (450 - 1) // 16
    assert in_order == [16 * (i % n_windows) for i in range(60)]


def test_a_continued_run_gets_the_batches_that_were_left() -> None:
    def data() -> LabData:
        return LabData(numbered(500), DataConfig(batch_size=4), 16, seed=0)

    whole = list(islice(data().train_dataloader(), 20))
    continued = data()
    continued.load_state_dict({"step": 9, "position": 36})
    assert continued.position == 36
    for ours, theirs in zip(continued.train_dataloader(), whole[9:], strict=False):
        assert torch.equal(ours[0], theirs[0])
        assert torch.equal(ours[1], theirs[1])


def test_a_run_goes_on_in_the_order_that_it_began_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one of before there was another order than that of a permutation that is held."""

    def firsts(state: dict[str, Any] | None, **options: Any) -> list[int]:
        data = LabData(numbered(500), DataConfig(batch_size=4, **options), 16, seed=0)
        if state is not None:
            data.load_state_dict({"step": 3, "position": 12, **state})
        return [row for inputs, _ in islice(data.train_dataloader(), 9) for row in inputs[:, 0].tolist()]

    held = firsts({})
    monkeypatch.setattr(shuffle, "LARGEST_HELD", 20)
    computed = firsts({"shuffle": "feistel"})
    assert firsts(None)[12:] == computed[:-12]
    assert firsts({}) == firsts({"shuffle": "permutation"}) == held != computed
    assert firsts({"shuffle": "feistel"}, shuffle=False) == firsts({"shuffle": "none"}, shuffle=False) != computed


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_batches_for_a_gpu_wait_in_memory_that_it_can_read_by_itself(kind: str) -> None:
    data = LabData(numbered(200), DataConfig(batch_size=2), 8, seed=0)
    place = SimpleNamespace(root_device=torch.device(kind))
    steps = {"global_step": 0, "accumulate_grad_batches": 1}
    data.trainer = SimpleNamespace(world_size=1, global_rank=0, strategy=place, **steps)  # type: ignore[assignment]
    assert data.train_dataloader().pin_memory is (kind == "cuda")
    assert validation(data).pin_memory is (kind == "cuda")


MIX = ("corpus=mix", "corpus.parts=[a.txt,{corpus:grammar,documents:40}]", "tokenizer=chars", "data.batch_size=2")


def test_a_mixture_trains_and_says_what_becomes_of_each_part(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a fox and a crow met. " * 40)
    done = tiny(tmp_path, *MIX, "corpus.weights=[3,1]", "trainer.max_steps=40", "eval_every=20")
    windows = (880 * 9 // 10 - 1) // 16
    passes = done.results["parts"]["a"]["passes"]
    assert passes == pytest.approx(60 / windows)
    assert f"a: 75.0%, {passes:.3g} passes over {windows} windows" in done.out
    curves = scalars(done.run)
    for name in ("a", "grammar"):
        curve = curves[f"val_bits_per_byte/{name}"]
        assert curve.keys() == {0, 20, 40}
        assert done.results["parts"][name]["bits_per_byte"] == pytest.approx(curve[40])
        assert f"{name} {curve[40]:.3f}" in done.out
    # The whole is every byte of both.
    both = sorted(curves[f"val_bits_per_byte/{name}"][40] for name in ("a", "grammar"))
    assert both[0] < curves["val_bits_per_byte"][40] < both[1]


def test_a_mixture_goes_on_where_it_was(tmp_path: Path) -> None:
    """Stopped half-way and continued, with nothing typed again: the same losses, bit for bit."""
    (tmp_path / "a.txt").write_text("a fox and a crow met. " * 40)
    options = (*MIX, "corpus.weights=[3,1]", "save=true", "log_every=1", "schedule=constant", "schedule.warmup_steps=0")
    tiny(tmp_path, *options, "trainer.max_steps=12", "hydra.run.dir=whole")
    tiny(tmp_path, *options, "trainer.max_steps=5", "hydra.run.dir=half")
    (tmp_path / "elsewhere").mkdir()
    tiny(tmp_path / "elsewhere", "resume=../half", "trainer.max_steps=12", "hydra.run.dir=../on")
    whole, on = (scalars(tmp_path / name) for name in ("whole", "on"))
    assert whole["train_loss"] == on["train_loss"]
    assert whole["val_bits_per_byte/a"][12] == on["val_bits_per_byte/a"][12]
    other = train_here(tmp_path, "resume=half", "corpus.weights=[1,1]", "trainer.max_steps=12")
    assert other.code == 1
    assert "corpus.weights was [3.0, 1.0] and is [1.0, 1.0]" in other.err
    # A part is measured as it was cut.
    assert "a mixture is measured a part at a time" in inside(evaluate.main, tmp_path, "checkpoint=whole")[2]
    measured = inside(evaluate.main, tmp_path, "checkpoint=whole", "corpus.path=a.txt", "format=json")[1]
    assert json.loads(measured)["bits_per_byte"] == pytest.approx(whole["val_bits_per_byte/a"][12], rel=1e-5)
