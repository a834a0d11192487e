"""Checkpoints with something in them that should not be: refused in a sentence, or the same run bit for bit."""

import contextlib
import math
import shutil
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import torch
from support.commands import Finished, lab, train_here
from support.mutations import (
    small_checkpoint,
    small_config,
    small_run,
    try_many,
)
from support.runs import OPTIONS, write_tale

from lab.errors import LabError
from lab.interchange.pretrained import from_checkpoint
from lab.runs import checkpoint, migrations
from lab.runs.checkpoint_schema import CheckpointDict
from lab.runs.digest import digest
from lab.training import checkpointing, resume_check

SMALL = (*OPTIONS, "model.emb_dim=8", "model.n_layers=1", "sample.max_tokens=0")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run of three steps, with a checkpoint of the second."""
    folder = tmp_path_factory.mktemp("trained")
    write_tale(folder)
    done = train_here(folder, *SMALL, "trainer.max_steps=3", "save_every=2", "eval_every=3", "hydra.run.dir=run")
    assert done.code == 0, done.err
    return done


@pytest.fixture(scope="module")
def second(trained: Finished) -> Path:
    return trained.folder / "run" / "checkpoints" / "step-00000002.ckpt"


def of_state(found: Any, name: str = "exp_avg", parameter: int = 0) -> Any:
    return found["optimizer_states"][0]["state"][parameter][name]


def put(*keys: Any, value: Any) -> Callable[[Any], None]:
    """Changes one thing."""

    def change(found: Any) -> None:
        for key in keys[:-1]:
            found = found[key]
        if value is GONE:
            del found[keys[-1]]
        else:
            found[keys[-1]] = value

    return change


GONE = object()
STATE = ("optimizer_states", 0, "state")

FAULTS = {
    # What went into the fused kernel, and killed the process.
    "an average that is empty": (put(*STATE, 0, "exp_avg", value=torch.tensor([])), "exp_avg has the shape (0,)"),
    "an average that is a number": (put(*STATE, 0, "exp_avg", value=torch.tensor(5.0)), "exp_avg has the shape ()"),
    "an average of one row": (put(*STATE, 0, "exp_avg_sq", value=torch.zeros(1, 8)), "of no use"),
    # What became other weights.
    "a step of infinity": (put(*STATE, 1, "step", value=torch.tensor(math.inf)), "step is inf"),
    "a step that is not yet": (put(*STATE, 1, "step", value=torch.tensor(3.0)), "at step 2"),
    "an average of NaN": (put(*STATE, 3, "exp_avg", value=torch.full((8, 8), math.nan)), "impossible numbers"),
    "a square below zero": (put(*STATE, 3, "exp_avg_sq", value=torch.full((8, 8), -1.0)), "impossible numbers"),
    "a parameter without averages": (put(*STATE, 2, value=GONE), "of 16 parameters"),
    "an average too few": (put(*STATE, 2, "exp_avg", value=GONE), "not the same of every parameter"),
    "no averages": (put(*STATE, value={}), "lacks parts"),
    "a weight of another shape": (put("state_dict", "model.final_norm.scale", value=torch.ones(9)), "final_norm.scale"),
    "a weight of NaN": (put("state_dict", "model.final_norm.scale", value=torch.full((8,), math.nan)), "NaN"),
    "a weight too few": (put("state_dict", "model.final_norm.scale", value=GONE), "has no model.final_norm.scale"),
    "a weight too many": (put("state_dict", "model.more", value=torch.ones(1)), "which its model has not"),
    "weights of whole numbers": (
        put("state_dict", "model.final_norm.scale", value=torch.ones(8).long()),
        "int64",
    ),
    "a head of its own": (put("state_dict", "model.head.weight", value=torch.ones(50257, 8)), "is not the token embed"),
    "tokens of another vocabulary": (put("occurring", value=torch.ones(8, dtype=torch.uint8)), "the vocabulary 50,257"),
    "tokens that are no marks": (put("occurring", value=torch.full((50257,), 2, dtype=torch.uint8)), "a 0 or a 1 for"),
    "no token at all": (put("occurring", value=torch.zeros(50257, dtype=torch.uint8)), "not be all 0"),
    "windows before the steps": (put("LabData", "position", value=1), "LabData.position"),
    "another step of the data": (put("LabData", "step", value=1), "LabData.step"),
    # What ended in a traceback.
    "a step that is text": (put("global_step", value="2"), "global_step is '2'"),
    "a step that is true": (put("global_step", value=True), "global_step is true"),
    "a step that is huge": (put("global_step", value=10**400), "a huge number"),
    "a record that is text": (put("callbacks", "Record", value="x"), "callbacks.Record is 'x'"),
    "seconds that are nothing": (put("callbacks", "Record", "seconds", value=None), "lacks parts"),
    "a best loss that is a list": (put("callbacks", "Checkpoints", "best_val_loss", value=[1]), "best_val_loss"),
    "groups of other parameters": (
        put("optimizer_states", 0, "param_groups", 0, "params", value=[5]),
        "param_groups[0]",
    ),
    "one group": (put("optimizer_states", 0, "param_groups", value=[{"params": [0]}]), "must be a list of 2"),
    "no optimizer": (put("optimizer_states", value=[]), "must be a list of 1"),
    "a plan of text": (put("lab", "plan", "eval_every", value="often"), "lab.plan.eval_every"),
    "a size beyond all memory": (put("lab", "config", "model", "emb_dim", value=10**9), "emb_dim=1,000,000,000"),
    "a billion layers": (put("lab", "config", "model", "n_layers", value=10**9), "1,000,000,000 layers"),
    "heads that do not fit": (put("lab", "config", "model", "n_heads", value=3), "makes no model"),
    "an option of another type": (put("lab", "config", "trainer", "max_steps", value="many"), "trainer.max_steps"),
    "one of two times": (put("callbacks", "Spent", value={"seconds": 1.0}), "no callbacks.Spent.processor_seconds"),
    "a tokenizer that is a number": (put("lab", "tokenizer", value=7), "lab.tokenizer is 7"),
    "a tokenizer of no kind": (put("lab", "tokenizer", value={"name": "mine"}), "lab.tokenizer.name is 'mine'"),
    "a tensor on no device": (put(*STATE, 3, "exp_avg", value=torch.ones(8, 8, device="meta")), "another kind"),
    "a sparse tensor": (put(*STATE, 3, "exp_avg", value=torch.ones(8, 8).to_sparse()), "another kind"),
    "a tensor of one number": (put(*STATE, 3, "exp_avg", value=torch.ones(1).expand(8, 8)), "another kind"),
}


def changed(second: Path, folder: Path, change: Callable[[Any], None], *, resealed: bool) -> Path:
    """The checkpoint with a change in it; with the checksum of the change, as one who means it would write it."""
    found = torch.load(second, weights_only=True)
    change(found)
    path = folder / "changed.ckpt"
    with contextlib.suppress(LabError):  # there is no checksum for what save would not take
        found = checkpoint.sealed(found) if resealed else found
    torch.save(found, path)
    return path


def assert_a_sentence(done: Finished, path: Path, said: str) -> None:
    assert done.code == 1, done.out + done.err
    assert done.err.startswith("error: ")
    assert len(done.err.strip().splitlines()) == 1
    assert str(path) in done.err
    assert said in done.err


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_is_meant_is_one_sentence(fault: str, second: Path, tmp_path: Path) -> None:
    change, words = FAULTS[fault]
    path = changed(second, tmp_path, change, resealed=True)
    write_tale(tmp_path)
    with pytest.raises(LabError) as told:
        go_on_from(checkpoint.load(path), path)
    assert words in str(told.value)
    assert "\n" not in str(told.value)
    assert str(path) in str(told.value)


def test_a_damaged_tokenizer_is_one_sentence_where_it_is_built(second: Path, tmp_path: Path) -> None:
    damaged = put("lab", "tokenizer", value={"name": "hf", "tokenizer_json": "{", "endoftext": 1})
    path = changed(second, tmp_path, damaged, resealed=True)
    with pytest.raises(LabError, match="damaged") as told:
        from_checkpoint(checkpoint.load(path), path)
    assert "\n" not in str(told.value)
    assert str(path) in str(told.value)


def go_on_from(earlier: CheckpointDict, path: Path) -> None:
    """As far as a run goes before it touches anything."""
    config = small_config(vocab_size=50257, context_length=16)
    resume_check.refuse_unfit(earlier, config, "cpu", path)


@pytest.mark.parametrize(
    "fault",
    [
        "an average that is empty",
        *(pytest.param(f, marks=pytest.mark.slow) for f in ("an average that is a number", "an average of one row")),
    ],
)
def test_what_killed_the_process_is_one_sentence(fault: str, second: Path, tmp_path: Path) -> None:
    change, words = FAULTS[fault]
    write_tale(tmp_path)
    path = changed(second, tmp_path, change, resealed=True)
    assert_a_sentence(lab(tmp_path, "train", f"resume={path}"), path, words)
    assert not list(tmp_path.glob("outputs/**/events.jsonl"))  # nothing was begun


def test_a_resumed_folder_is_as_it_was_when_its_checkpoint_is_refused(trained: Finished, tmp_path: Path) -> None:
    write_tale(tmp_path)
    shutil.copytree(trained.folder / "run", tmp_path / "run")
    target = tmp_path / "run" / "checkpoints" / "last.ckpt"
    shutil.copy(changed(target, tmp_path, FAULTS["an average of one row"][0], resealed=True), target)
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*.json*")}
    done = train_here(tmp_path, f"resume={target}", "hydra.run.dir=run", "trainer.max_steps=9")
    assert_a_sentence(done, target, "of no use")
    after = {path: path.read_bytes() for path in before if path.name != "state.json"}
    assert after.items() <= before.items()


def test_a_change_that_nobody_meant_is_told_from_one_that_makes_no_sense(second: Path, tmp_path: Path) -> None:
    """A number that could just as well be: only the checksum knows."""
    for change in (
        put("callbacks", "Record", "seconds", value=1.5),
        put("lab", "plan", "warmup_steps", value=1),
        put("LabData", "position", value=13),
        put("lab", "checksum", value=GONE),
        put("lab", "checksum", value=5),
        lambda found: found["state_dict"]["model.final_norm.scale"].mul_(1.01),
        lambda found: of_state(found, "step").sub_(1),
    ):
        path = changed(second, tmp_path, change, resealed=False)
        with pytest.raises(LabError, match=r"was changed after it was written|is not usable"):
            checkpoint.load(path)


def test_every_command_refuses_in_one_sentence(second: Path, tmp_path: Path) -> None:
    write_tale(tmp_path)
    change, words = FAULTS["a weight of another shape"]
    path = changed(second, tmp_path, change, resealed=True)
    assert_a_sentence(train_here(tmp_path, *SMALL, f"init_from={path}"), path, words)
    for module, option in (
        ("generate", "max_tokens=1"),
        ("evaluate", ""),
        ("export", "to=out"),
        ("inspect", "to=out prompt=x"),
    ):
        assert_a_sentence(lab(tmp_path, module, f"checkpoint={path}", *option.split()), path, words)
    assert not list(tmp_path.glob("out/*"))


@pytest.mark.slow
def test_weights_that_are_no_numbers_are_one_sentence(second: Path, tmp_path: Path) -> None:
    """Whoever measures or looks at a model may have them; nothing can be made of them."""
    write_tale(tmp_path)
    path = changed(second, tmp_path, FAULTS["a weight of NaN"][0], resealed=True)
    assert_a_sentence(train_here(tmp_path, *SMALL, f"init_from={path}"), path, "NaN or infinity")
    assert_a_sentence(lab(tmp_path, "export", f"checkpoint={path}", "to=out"), path, "NaN or infinity")
    for temperature in (0, 1):
        done = lab(tmp_path, "generate", f"checkpoint={path}", "max_tokens=1", f"temperature={temperature}")
        assert done.code == 1
        assert done.err.startswith("error: the model has NaN or infinity")
        assert len(done.err.strip().splitlines()) == 1


def test_a_callback_that_does_not_know_its_state_is_one_sentence(trained: Finished, tmp_path: Path) -> None:
    write_tale(tmp_path)
    stopping = "{_target_:lightning.pytorch.callbacks.EarlyStopping,monitor:val_loss}"
    part = train_here(tmp_path, *SMALL, f"+callbacks.s={stopping}", "trainer.max_steps=2", "hydra.run.dir=part")
    assert part.code == 0, part.err
    path = tmp_path / "part" / "checkpoints" / "last.ckpt"
    found = checkpoint.load(path)
    (name,) = (name for name in found["callbacks"] if name.startswith("EarlyStopping"))
    found["callbacks"][name] = {"wait_count": 0}
    checkpoint.save(found, path)
    done = train_here(tmp_path, f"resume={path}", "trainer.max_steps=3", f"+callbacks.s={stopping}")
    assert_a_sentence(done, path, "a callback cannot take up")


def test_a_model_of_another_vocabulary_is_one_sentence(tmp_path: Path) -> None:
    """Its tokenizer would give it ids that it has no rows for."""
    path = small_checkpoint(tmp_path)
    assert_a_sentence(lab(tmp_path, "generate", f"checkpoint={path}", "prompt=The fox"), path, "64 tokens")


def test_a_checkpoint_of_format_1_goes_on(second: Path, trained: Finished, tmp_path: Path) -> None:
    found = torch.load(second, weights_only=True)
    del found["lab"]["checksum"]
    found["lab"]["format"] = 1
    path = tmp_path / "run" / "checkpoints" / "old.ckpt"
    path.parent.mkdir(parents=True)
    torch.save(found, path)
    write_tale(tmp_path)
    done = train_here(tmp_path, f"resume={path}", "hydra.run.dir=on")
    assert done.code == 0, done.err
    last = [
        checkpoint.load(folder / "checkpoints" / "last.ckpt") for folder in (trained.folder / "run", tmp_path / "on")
    ]
    assert digest(last[0]["state_dict"]) == digest(last[1]["state_dict"])
    assert last[1]["lab"]["format"] == migrations.FORMAT


def test_the_metadata_are_read_without_the_tensors(second: Path) -> None:
    metadata, step = checkpoint.read_metadata(second)
    assert step == 2
    assert metadata == checkpoint.load(second)["lab"]


def test_what_is_loaded_can_be_saved_again(second: Path, tmp_path: Path) -> None:
    found = checkpoint.load(second)
    checkpoint.save(found, tmp_path / "again.ckpt")
    again = checkpoint.load(tmp_path / "again.ckpt")
    assert digest(checkpointing.for_lightning(again, 2) | {"lab": 0}) == digest(
        checkpointing.for_lightning(found, 2) | {"lab": 0}
    )


def test_what_no_checkpoint_can_hold_is_told_when_it_is_saved(second: Path, tmp_path: Path) -> None:
    found = checkpoint.load(second)
    found["callbacks"]["Mine"] = {"seen": {1, 2}}
    with pytest.raises(LabError, match="a callback of this run keeps something in its state"):
        checkpoint.save(found, tmp_path / "set.ckpt")
    assert not list(tmp_path.iterdir())


# A run so small that thousands fit into a test: what lab.train does with a checkpoint, with 64 words to know.


@pytest.mark.slow
def test_five_thousand_mutations(tmp_path: Path) -> None:
    """Half of them with the checksum of somebody who means it. A signal ends the process, and with it the test."""
    batches = [range(first, first + 250) for first in range(0, 5000, 250)]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        came = sum(pool.map(try_many, batches, [tmp_path] * len(batches)), Counter())
    print(dict(came))
    assert came.total() == 5000
    assert min(came["refused"], came["same"], came["other"]) > 100


@pytest.mark.filterwarnings("ignore:Be aware that when using")  # Somebodys callback is not here
def test_the_same_weights_come_of_a_checkpoint_whose_counters_lie(tmp_path: Path) -> None:
    """What Lightning counts is not read: it follows from the step."""
    sound = small_checkpoint(tmp_path)
    found = torch.load(sound, weights_only=True)
    found["loops"]["fit_loop"] = {"epoch_loop.batch_progress": "nonsense"}
    found["lr_schedulers"] = [{"last_epoch": "x", "step": None, "base_lrs": []}]
    found["epoch"], found["pytorch-lightning_version"] = "x", 7
    found["optimizer_states"][0]["param_groups"][0] |= {"lr": math.nan, "betas": "x", "fused": 5}
    lying = tmp_path / "lying.ckpt"
    checkpoint.save(found, lying)
    ends = [small_run(tmp_path, checkpoint.load(path), 3)["state_dict"] for path in (sound, lying)]
    assert digest(ends[0]) == digest(ends[1])
    whole = small_run(tmp_path, None, 3)["state_dict"]
    assert digest(ends[0]) == digest(whole)
