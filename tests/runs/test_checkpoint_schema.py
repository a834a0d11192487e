"""Checkpoints with something in them that should not be: refused in a sentence, or the same run bit for bit."""

import contextlib
import math
import random
import shutil
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import pytest
import torch
from support.commands import Finished, lab, train_here
from support.runs import OPTIONS, write_tale

from lab.config.plan import make_plan
from lab.config.schema import AdamWConfig, Config, CorpusConfig, CorpusSource, DataConfig, SampleConfig, TrainerConfig
from lab.data.prepare import Corpus
from lab.data.token_file import TokenFile
from lab.data.tree_walk import Found
from lab.errors import LabError
from lab.model import GPTConfig
from lab.runs import checkpoint
from lab.runs.checkpoint_schema import CheckpointDict
from lab.runs.digest import digest
from lab.runs.events import EventLog
from lab.system.signals import Signals
from lab.tokenizer import Tokenizer
from lab.training import checkpointing, resume_check
from lab.training.callbacks import Record
from lab.training.datamodule import LabData
from lab.training.preparation import Preparation
from lab.training.resume import Earlier
from lab.training.trainer import make_callbacks, make_module, make_trainer
from lab.training.wiring import Chosen

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
    "windows before the steps": (put("LabData", "position", value=1), "LabData.position"),
    "another step of the data": (put("LabData", "step", value=1), "LabData.step"),
    # What ended in a traceback.
    "a step that is text": (put("global_step", value="2"), "global_step is '2'"),
    "a step that is true": (put("global_step", value=True), "global_step is true"),
    "a step that is huge": (put("global_step", value=10**400), "a huge number"),
    "a record that is text": (put("callbacks", "Record", value="x"), "callbacks.Record is 'x'"),
    "seconds that are nothing": (put("callbacks", "Record", "seconds", value=None), "lacks parts"),
    "losses that are a number": (put("callbacks", "Alerts", "losses", value=3), "callbacks.Alerts.losses"),
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


def go_on_from(earlier: CheckpointDict, path: Path) -> None:
    """As far as a run goes before it touches anything."""
    config = small_config(vocab_size=50257, context_length=16)
    resume_check.refuse_unfit(earlier, config, "cpu", path)


@pytest.mark.parametrize("fault", ["an average that is empty", "an average that is a number", "an average of one row"])
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
    assert last[1]["lab"]["format"] == 2


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


def small_config(vocab_size: int = 64, context_length: int = 8) -> Config:
    return Config(
        model=GPTConfig(8, 1, 2, context_length, drop_rate=0.2, vocab_size=vocab_size),
        corpus=CorpusConfig("small", CorpusSource.path, "small.txt"),
        data=DataConfig(batch_size=2, max_val_tokens=20),
        optimizer=AdamWConfig(lr=1e-2),
        trainer=TrainerConfig(max_steps=3, accelerator="cpu", accumulate_grad_batches=2),
        sample=SampleConfig(max_tokens=0),
        eval_every=10,
        log_every=10,
    )


@cache
def tokenizer() -> Tokenizer:
    return Tokenizer()


def small_run(folder: Path, earlier: CheckpointDict | None, steps: int) -> dict[str, Any]:
    """Trains up to ``steps``. Returns the checkpoint at its end, as it would be written."""
    config = small_config()
    numbers = np.random.default_rng(5).integers(0, 64, 400, dtype=np.uint16)
    data = LabData(numbers, config.data, config.model.context_length, config.seed)
    tokens = TokenFile(
        folder / "none", "f" * 64, n_tokens=len(numbers), n_documents=1, n_bytes=1000, n_mentions=0, checksum=0
    )
    found = Earlier(folder / "earlier.ckpt", earlier) if earlier else None
    plan = make_plan(config, len(data.windows), found.plan if found else None)
    config.trainer.max_steps = steps
    corpus = Corpus(Found(), tokens)
    chosen = Chosen({}, {})
    run = Preparation(config, folder, folder, "cpu", chosen, tokenizer(), corpus, data, plan, found)
    L.seed_everything(config.seed, verbose=False)
    module = make_module(run)
    log = EventLog(folder)
    with Signals() as signals:
        longer = replace(run, plan=make_plan(config, len(data.windows)))
        trainer = make_trainer(longer, [], make_callbacks(longer, Record(), log, signals))
        trainer.fit(module, data, ckpt_path="earlier" if earlier else None, weights_only=True)
    log.close()
    return trainer._checkpoint_connector.dump_checkpoint(weights_only=False)


def small_checkpoint(folder: Path) -> Path:
    """Of the second step."""
    found = small_run(folder, None, 2)
    found["callbacks"] |= {"Checkpoints": {"best_val_loss": 4.0}, "Somebodys": {"wait": 1, "score": torch.tensor(2.0)}}
    checkpoint.save(found, folder / "small.ckpt")
    return folder / "small.ckpt"


ODD: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 3, 2**31, 2**63, 10**400, 0.5, -2.5, 1e300, math.nan, math.inf, -math.inf),
    *("", "x", "\n\x1b[31m", "9" * 5000, [], [1], (), {}, {"a": 1}, {1: 2}, b"x", {3}, 1j, [[[[[[[]]]]]]]),
    *(torch.tensor([]), torch.tensor(5), torch.tensor(math.inf), torch.ones(3), torch.ones(2, 3), torch.ones(70, 70)),
    *(
        torch.ones(8).to_sparse(),
        torch.ones(8, device="meta"),
        torch.ones(1).expand(64, 8),
        torch.ones(8).bool(),
    ),
    *(torch.nn.Parameter(torch.ones(8)), torch.Size([3]), torch.float32, torch.ones(8, 8).t()[1:]),
)


def places(found: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of every value in nested dicts and lists."""
    items = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, item in items:
        yield (*at, key)
        yield from places(item, (*at, key))


def mutate(found: Any, chance: random.Random) -> str:
    """Changes one thing at random. Returns what it was."""
    # A part first, then a place in it: else nearly all would fall on the optimizer's hundred tensors.
    part = chance.choice([*found, "lab", "callbacks"])
    *way, key = chance.choice([(part,), *places(found[part], (part,))])
    inside = found
    for step in way:
        inside = inside[step]
    value, kind = inside[key], chance.randrange(8)
    if kind == 0:
        del inside[key]
    elif kind == 1 and isinstance(inside, dict):
        inside[chance.choice(["more", 7, "", "\n", None])] = chance.choice(ODD)
    elif kind == 2 and isinstance(inside, dict):
        inside[key] = inside[chance.choice(list(inside))]
    elif kind == 3 and isinstance(value, torch.Tensor) and value.is_floating_point():
        changes = [
            lambda t: t.fill_(chance.choice([math.nan, math.inf, -1.0, 1e38, 0.0])),
            lambda t: t.bfloat16(),
            lambda t: t.double(),
            lambda t: t.reshape(-1)[:-1],
            lambda t: t.unsqueeze(0),
            lambda t: t.repeat(*([2] * t.dim())) if t.dim() else t.repeat(3),
            lambda t: t.to(torch.int64),
            lambda t: t.clone().requires_grad_(),
        ]
        inside[key] = chance.choice(changes)(value)
    elif kind == 4 and type(value) in (int, float):
        inside[key] = chance.choice([value + 1, value - 1, -value, value * 1000, float(value), str(value)])
    elif kind == 5 and isinstance(value, dict | list):
        inside[key] = [value] if chance.random() < 0.5 else {"a": value}
    else:
        inside[key] = chance.choice(ODD)
    return f"{[*way, key]} kind {kind}"


def taken(earlier: CheckpointDict) -> str:
    """Everything that a run takes from a loaded checkpoint, as a checksum."""
    found = checkpointing.for_lightning(earlier, 2)
    found["lab"] = {name: part for name, part in found["lab"].items() if name not in ("format", "checksum")}
    return digest(found)


def try_out(sound: Path, number: int, folder: Path) -> str:
    """Changes one thing in a checkpoint and goes on from it. Returns what came of it."""
    chance = random.Random(number)
    found = torch.load(sound, weights_only=True)
    what = mutate(found, chance)
    resealed = chance.random() < 0.5
    if resealed:
        try:
            found = checkpoint.sealed(found)
        except (LabError, KeyError, TypeError, ValueError, AttributeError, NotImplementedError, RuntimeError):
            resealed = False  # no checksum is to be had for it
    path = folder / "mutated.ckpt"
    torch.save(found, path)
    try:
        earlier = checkpoint.load(path)
        resume_check.refuse_unfit(earlier, small_config(), "cpu", path)
        if taken(earlier) == taken(checkpoint.load(sound)):
            return "same"  # and nothing but what is taken could make another run of it
        assert resealed, f"{number}: {what} was accepted with other contents"
        small_run(folder, earlier, earlier["global_step"] + 1)
        return "other"  # whoever can write a checksum can write another run
    except LabError as refused:
        sentence = str(refused)
    except Exception as error:
        raise AssertionError(f"{number}: {what} ended in {error!r}") from error
    assert sentence.isprintable(), f"{number}: {what}"
    return "refused"


def try_many(numbers: range, folder: Path) -> Counter[str]:
    """In a process of its own, which may be killed over it."""
    warnings.simplefilter("ignore")
    mine = folder / str(numbers.start)
    mine.mkdir()
    sound = small_checkpoint(mine)
    with contextlib.redirect_stdout(None), contextlib.redirect_stderr(None):
        return Counter(try_out(sound, number, mine) for number in numbers)


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
