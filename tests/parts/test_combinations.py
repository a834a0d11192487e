"""Combinations of parts, drawn at random, as whole runs: resumed and compiled they are the same model."""

import shutil
import warnings
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from support.commands import train_here
from support.runs import OPTIONS, assert_same_run, write_tale
from support.shapes import shapes

from lab.model import GPTConfig
from lab.parts import ModelConfig, build_model

_SIZES = {f.name for f in fields(GPTConfig)}


@pytest.mark.slow
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(shapes())
def test_a_resumed_run_is_the_same_to_the_bit(tmp_path_factory: pytest.TempPathFactory, shape: ModelConfig) -> None:
    folder = tmp_path_factory.mktemp("run")
    write_tale(folder)
    parts = {f.name: getattr(shape, f.name) for f in fields(ModelConfig) if f.name not in _SIZES}
    words = [f"model.{name}={'null' if value is None else str(value)}" for name, value in parts.items()]
    words += [f"model.emb_dim={shape.emb_dim}", f"model.n_heads={shape.n_heads}", f"model.bias={shape.bias}"]
    done = train_here(folder, *OPTIONS, *words, "save_every=5", "hydra.run.dir=whole")
    assert done.code == 0, done.err
    done = train_here(folder, "resume=whole/checkpoints/step-00000005.ckpt", "hydra.run.dir=on")
    assert done.code == 0, done.err
    assert_same_run(folder / "whole", folder / "on")
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler, and there is none here")
@pytest.mark.parametrize(
    "options",
    [
        {"norm": "rmsnorm", "feed_forward": "swiglu", "position": "rope", "n_kv_heads": 2, "qk_norm": True},
        {"position": "alibi", "feed_forward": "relu2", "sliding_window": 5, "block": "post_norm"},
    ],
)
def test_compiled_is_uncompiled(options: dict[str, object], tmp_path: Path) -> None:
    torch.manual_seed(0)
    sizes = {"emb_dim": 32, "n_layers": 2, "n_heads": 4, "context_length": 16, "vocab_size": 50, "drop_rate": 0.0}
    model = build_model(ModelConfig(**{**sizes, **options}))  # type: ignore[arg-type]
    ids = torch.randint(50, (2, 16))
    expected = model.loss(ids, ids)
    expected.backward()
    gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    for block in model.blocks:
        block.compile()
    with warnings.catch_warnings(action="ignore"):  # of the compiler's own making
        found = model.loss(ids, ids)
        found.backward()
    torch.testing.assert_close(found, expected)
    for parameter, gradient in zip(model.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-5)
