"""Our training run against an independent one: Hugging Face's GPT-2, a plain AdamW loop, the same first weights."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from support.commands import scalars, train
from support.twin import hugging_face_twin
from torch import nn

from lab.config.compose import compose_config
from lab.config.schema import Config, check
from lab.data.prepare import tokenized_corpus
from lab.training.wiring import make_model

STEPS = 50
OPTIONS = (
    "model.emb_dim=64",
    "model.n_layers=3",
    "model.n_heads=4",
    "model.context_length=32",
    "model.drop_rate=0",
    "data.max_val_tokens=1000",
    "sample.max_tokens=0",
    "trainer=cpu",
    "seed=7",
    f"trainer.max_steps={STEPS}",
    "log_every=1",
    "eval_every=10",
)


def independent_run(config: Config, tokens: np.ndarray) -> tuple[list[float], dict[int, float]]:
    """Training losses of each step and validation losses, by a loop that shares nothing with ours but the first
    weights and the rule which windows come when."""
    model = hugging_face_twin(make_model(config)).train()
    length, batch_size = config.model.context_length, config.data.batch_size
    border = len(tokens) - min(int(len(tokens) * 0.1), 1000)
    text, val = torch.from_numpy(tokens[:border].astype(np.int64)), torch.from_numpy(tokens[border:].astype(np.int64))
    n_windows = (len(text) - 1) // length

    def decays(name: str) -> bool:
        return name.endswith("weight") and ".ln_" not in name

    named = list(model.named_parameters())
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for n, p in named if decays(n)], "weight_decay": 0.1},
            {"params": [p for n, p in named if not decays(n)], "weight_decay": 0.0},
        ],
        lr=3e-4,
        betas=(0.9, 0.95),
        foreach=False,
    )

    @torch.no_grad()
    def validate() -> float:
        model.eval()
        total = 0.0
        for start in range(0, len(val) - 1, length):
            piece = val[start : start + length + 1]
            logits = model(piece[None, :-1]).logits[0]
            total += nn.functional.cross_entropy(logits.double(), piece[1:], reduction="sum").item()
        model.train()
        return total / (len(val) - 1)

    losses, val_losses = [], {0: validate()}
    warmup = 5
    for step in range(STEPS):
        factor = (
            (step + 1) / warmup
            if step < warmup
            else 0.1 + 0.45 * (1 + math.cos(math.pi * (step - warmup) / (STEPS - warmup)))
        )
        for group in optimizer.param_groups:
            group["lr"] = 3e-4 * factor
        windows = []
        for place in range(step * batch_size, (step + 1) * batch_size):
            order = np.random.default_rng([config.seed, place // n_windows]).permutation(n_windows)
            start = int(order[place % n_windows]) * length
            windows.append(text[start : start + length + 1])
        batch = torch.stack(windows)
        optimizer.zero_grad()
        logits = model(batch[:, :-1]).logits
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if (step + 1) % 10 == 0:
            val_losses[step + 1] = validate()
    return losses, val_losses


@pytest.mark.parametrize("corpus", ["verdict", pytest.param("stdlib", marks=pytest.mark.slow)])
def test_the_whole_trajectory_agrees_with_hugging_face(
    corpus: str, tmp_path: Path, corpora: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if corpus == "verdict" and not (corpora / "the-verdict.txt").is_file():
        pytest.skip("verdict must be fetched, and no file of it is in LAB_CORPORA")
    options = [f"corpus={corpus}", *OPTIONS]
    config = check(compose_config(options))
    config.model.vocab_size = 50257
    tokens = tokenized_corpus(config.corpus, tmp_path).open()

    monkeypatch.setenv("LAB_CORPORA", str(corpora))
    ours = scalars(train(tmp_path, *options).run)
    losses, val_losses = independent_run(config, tokens)

    assert list(ours["train_loss"]) == list(range(1, STEPS + 1))
    assert max(abs(ours["train_loss"][i + 1] - loss) for i, loss in enumerate(losses)) <= 1e-4
    assert ours["val_loss"].keys() == val_losses.keys()
    assert max(abs(ours["val_loss"][step] - loss) for step, loss in val_losses.items()) <= 1e-4
    assert losses[-1] < losses[0] - 0.5  # and it is a real training, not two models standing still
