"""Laws that hold for a model of any parts, and what a part of one's own is told when it is wrong."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.shapes import shapes
from torch import Tensor

from lab.errors import LabError
from lab.files import user_code
from lab.inference.kv_cache import KVCache
from lab.inspection.internals import ablate_heads, look
from lab.model import GPTConfig, GPTModel
from lab.parts import ModelConfig, build_model
from lab.parts.build import outline


def lively(shape: GPTConfig, seed: int = 0) -> GPTModel:
    """A model in which every weight matters, norms and biases included."""
    torch.manual_seed(seed)
    model = build_model(shape).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.3)
    return model


@settings(max_examples=80, deadline=None)
@given(shapes(), st.data())
def test_no_position_looks_ahead_and_cached_is_uncached(shape: ModelConfig, data: st.DataObject) -> None:
    model = lively(shape)
    seq = shape.context_length
    ids = torch.randint(shape.vocab_size, (2, seq))
    with torch.no_grad():
        whole = model.hidden(ids)
        place = data.draw(st.integers(0, seq - 1))
        changed = ids.clone()
        changed[:, place] = (changed[:, place] + 1) % shape.vocab_size
        torch.testing.assert_close(model.hidden(changed)[:, :place], whole[:, :place], rtol=1e-4, atol=1e-4)
        cache = KVCache(model, 2)
        cuts = sorted(data.draw(st.sets(st.integers(1, seq))) | {0, seq})
        pieces: list[Tensor] = []
        for start, stop in pairwise(cuts):
            pieces.append(cache.read(ids[:, start:stop], torch.arange(start, stop).expand(2, -1)))
        torch.testing.assert_close(torch.cat(pieces, dim=1), whole, rtol=1e-4, atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(shapes())
def test_what_is_looked_at_step_by_step_is_what_the_model_computes(shape: ModelConfig) -> None:
    model = lively(shape)
    ids = torch.randint(shape.vocab_size, (shape.context_length,))
    seen = look(model, ids)
    with torch.no_grad():
        logits = model(ids[None])[0]
    expected = torch.log_softmax(logits, -1)
    if len(ids) > 1:
        torch.testing.assert_close(
            seen.token_losses, -expected[:-1].gather(1, ids[1:, None])[:, 0], rtol=1e-3, atol=1e-3
        )
    rows = seen.attention.sum(-1)
    torch.testing.assert_close(rows, torch.ones_like(rows))
    assert not seen.attention.triu(1).any()
    if shape.sliding_window is not None:
        assert not seen.attention.tril(-shape.sliding_window).any()
    assert ablate_heads(model, ids).shape == (shape.n_layers, shape.n_heads)


@settings(max_examples=30, deadline=None)
@given(shapes())
def test_every_weight_has_a_gradient_and_an_outline(shape: ModelConfig) -> None:
    model = lively(shape)
    model.train()
    ids = torch.randint(shape.vocab_size, (2, shape.context_length))
    model.loss(ids, ids).backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in model.parameters())
    drawn = {name: tensor.shape for name, tensor in outline(shape).state_dict().items()}
    assert drawn == {name: tensor.shape for name, tensor in model.state_dict().items()}


def test_gpt2_is_the_chapters_model_bit_for_bit() -> None:
    sizes = {"emb_dim": 16, "n_layers": 2, "n_heads": 2, "context_length": 8, "vocab_size": 11}
    torch.manual_seed(3)
    chapter = GPTModel(GPTConfig(**sizes)).eval()  # type: ignore[arg-type]
    torch.manual_seed(3)
    built = build_model(ModelConfig(**sizes)).eval()  # type: ignore[arg-type]
    ids = torch.arange(8)[None]
    assert torch.equal(chapter(ids), built(ids))
    assert chapter.state_dict().keys() == built.state_dict().keys()


SMALL = {"emb_dim": 8, "n_layers": 2, "n_heads": 2, "context_length": 6, "vocab_size": 11}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"norm": "rmsnrom"}, "norm=rmsnrom is no part of the lab: did you mean rmsnorm"),
        ({"feed_forward": "x"}, "feed_forward=x is no part of the lab: choose one of gelu, swiglu, relu2"),
        ({"n_kv_heads": 3}, "n_heads=2 is not divisible by n_kv_heads=3"),
        ({"n_kv_heads": 0}, "n_kv_heads=0 must be at least 1"),
        ({"position": "rope", "head_dim": 3}, "position=rope turns pairs of numbers, and a head has 3"),
        ({"rope_base": 1.0}, "rope_base=1.0 must be above 1"),
        ({"norm_eps": 0.0}, "norm_eps=0.0 must be above 0"),
    ],
)
def test_options_that_make_no_model(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ModelConfig(**{**SMALL, **options})  # type: ignore[arg-type]


def test_a_part_that_nobody_has_named_is_asked_for() -> None:
    shape = ModelConfig(**SMALL, feed_forward="ideas/mine.py:Gated")  # type: ignore[arg-type]
    with pytest.raises(LabError, match=r"Gated of ideas/mine\.py.*parts=ideas/mine\.py"):
        build_model(shape)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def Part(config): raise RuntimeError('no')", r"cannot be made \(RuntimeError: no\)"),
        ("Part = lambda config: 3", r"makes a int, and must make a torch\.nn\.Module"),
    ],
)
def test_a_part_that_cannot_be_made(body: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(body)
    shape = ModelConfig(**SMALL, feed_forward="mine.py:Part")  # type: ignore[arg-type]
    with user_code.allowed([tmp_path / "mine.py"]), pytest.raises(LabError, match=said):
        build_model(shape)
