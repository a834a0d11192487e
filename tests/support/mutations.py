"""Checkpoints of a very small model, changed at random in one place."""

import contextlib
import math
import random
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch

from lab.alerts.watch import Watch
from lab.config.corpus_schema import CorpusConfig, CorpusSource
from lab.config.optimizer_schema import AdamWConfig
from lab.config.plan import make_plan
from lab.config.schema import Config, DataConfig, SampleConfig, TrainerConfig
from lab.data.prepare import Corpus
from lab.data.token_file import TokenFile
from lab.data.tree_walk import Found
from lab.errors import LabError
from lab.parts.config import ModelConfig
from lab.runs import checkpoint
from lab.runs.checkpoint_schema import CheckpointDict
from lab.runs.digest import digest
from lab.runs.events import EventLog
from lab.runs.yardsticks import Yardsticks
from lab.system.signals import Signals
from lab.tokenizer import Tokenizer
from lab.training import checkpointing, resume_check
from lab.training.alerts import Alerts, setting
from lab.training.callbacks import Record
from lab.training.chosen import Chosen
from lab.training.datamodule import LabData
from lab.training.preparation import Preparation
from lab.training.resume import Earlier
from lab.training.trainer import make_callbacks, make_module, make_trainer


def small_config(vocab_size: int = 64, context_length: int = 8) -> Config:
    return Config(
        model=ModelConfig(8, 1, 2, context_length, drop_rate=0.2, vocab_size=vocab_size),
        corpus=CorpusConfig("small", CorpusSource.path, "small.txt"),
        data=DataConfig(batch_size=2, max_val_tokens=20),
        optimizer=AdamWConfig(lr=1e-2),
        trainer=TrainerConfig(max_steps=3, accelerator="cpu", accumulate_grad_batches=2, precision="32-true"),
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
        alerts = Alerts(log, Watch(setting(longer, Yardsticks())), [], prints=False)
        trainer = make_trainer(longer, [], make_callbacks(longer, Record(), log, signals, alerts))
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
        with contextlib.suppress(LabError):
            checkpoint.load(path, optimizer=False)
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
