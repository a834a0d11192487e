"""A model with a part switched off, against one whose weights lack that part."""

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from lab.inference.sampling import Sampling, generate
from lab.inspection.ablation import loss_on, switched_off
from lab.inspection.internals import ablate_heads
from lab.model import GPTModel
from lab.parts import ModelConfig, build_model

IDS = torch.randint(40, (9,), generator=torch.Generator().manual_seed(3))
KINDS: dict[str, dict[str, Any]] = {
    "gpt2": {},
    "qwen3": {"position": "rope", "qk_norm": True, "n_kv_heads": 2, "head_dim": 10},
    "gpt1": {"block": "post_norm"},
}


def awake(kind: str) -> GPTModel:
    torch.manual_seed(1)
    shape: dict[str, Any] = {"emb_dim": 24, "n_layers": 3, "n_heads": 4, "context_length": 12, "vocab_size": 40}
    model = build_model(ModelConfig(**shape | KINDS[kind]))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.4)
    return model.eval()


def lacking(model: GPTModel, layer: int, head: int | None) -> GPTModel:
    """The model whose weights lack the part."""
    without = copy.deepcopy(model)
    if head is None:
        del without.blocks[layer]
    else:
        attention: Any = without.blocks[layer].attention
        with torch.no_grad():
            attention.project.weight[:, head * attention.head_dim : (head + 1) * attention.head_dim] = 0
    return without


def loss_of(model: GPTModel, ids: Tensor) -> float:
    """By hand, from the logits."""
    with torch.no_grad():
        logits = model(ids[None])[0].double()
    losses = [math.log(sum(math.exp(v) for v in row)) - float(row[t]) for row, t in zip(logits, ids[1:], strict=False)]
    return sum(losses) / len(losses)


@pytest.mark.parametrize("part", [(0, 0), (1, 3), (2, 2), (0, None), (2, None)])
@pytest.mark.parametrize("kind", KINDS)
def test_it_writes_and_predicts_as_a_model_without_the_part(kind: str, part: tuple[int, int | None]) -> None:
    model = awake(kind)
    without = lacking(model, *part)
    for sampling in (Sampling(temperature=0), Sampling(temperature=1.5)):
        (whole,) = generate(model, [IDS.tolist()], 20, sampling, seed=4)  # beyond the context: it is read again
        (expected,) = generate(without, [IDS.tolist()], 20, sampling, seed=4)
        with switched_off(model, *part):
            (found,) = generate(model, [IDS.tolist()], 20, sampling, seed=4)
        assert found == expected
        assert generate(model, [IDS.tolist()], 20, sampling, seed=4) == [whole]
    with switched_off(model, *part):
        assert loss_on(model, IDS) == pytest.approx(loss_of(without, IDS), abs=1e-4)
    assert loss_on(model, IDS) == pytest.approx(loss_of(model, IDS), abs=1e-4)


def test_the_losses_are_those_of_the_map() -> None:
    model = awake("gpt2").double()
    changes = ablate_heads(model, IDS)
    whole = loss_on(model, IDS)
    assert whole is not None
    for layer, head in ((0, 2), (2, 0)):
        with switched_off(model, layer, head):
            changed = loss_on(model, IDS)
        assert changed is not None
        assert changed - whole == pytest.approx(float(changes[layer, head]), abs=1e-6)
    assert loss_on(model, IDS[:1]) is None


def test_what_is_not_there_is_named_and_nothing_is_left_behind() -> None:
    model = awake("gpt2")
    for part, said in (((3, 0), "no layer 3"), ((0, 4), "no head 4"), ((-1, None), "no layer -1")):
        with pytest.raises(ValueError, match=said), switched_off(model, *part):
            pass
    with pytest.raises(RuntimeError, match="inside"), switched_off(model, 1, 1):
        raise RuntimeError("inside")
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
