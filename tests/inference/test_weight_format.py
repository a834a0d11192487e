"""A model made ready to generate in fewer bits says nearly the same."""

import pytest
import torch
from torch import nn

from lab.inference.int8 import Int8Linear
from lab.inference.sampling import Sampling, generate
from lab.inference.weight_format import prepare
from lab.model import GPTConfig, GPTModel

CPU = torch.device("cpu")


@pytest.mark.parametrize("tied", [True, False])
def test_in_int8_a_model_says_nearly_the_same(tied: bool) -> None:
    torch.manual_seed(1)
    model = GPTModel(GPTConfig(64, 2, 2, 32, drop_rate=0.0, tie_embeddings=tied, vocab_size=99)).eval()
    ids = torch.randint(99, (4, 32))
    with torch.no_grad():
        expected = model(ids)
        prepare(model, CPU, "int8")
        found = model(ids).float()
    assert not [module for module in model.modules() if type(module) is nn.Linear]
    assert sum(type(module) is Int8Linear for module in model.modules()) == 4 * 2 + 1
    assert 0 < (found - expected).abs().max() < 0.05 * expected.abs().max()
    # With the cache, and from a prompt read at once: the same choices of the likeliest token.
    text = generate(model, [[3, 7]], 20, Sampling(temperature=0))[0]
    with torch.no_grad():
        again = model(torch.tensor([text]))[0, 1:-1].float()
    chosen = again.gather(-1, torch.tensor(text[2:])[:, None])[:, 0]
    assert bool((chosen >= again.amax(-1) - 0.02).all())


def test_in_bf16_every_number_is() -> None:
    model = GPTModel(GPTConfig(8, 1, 1, 8, vocab_size=9)).eval()
    prepare(model, CPU, "bf16")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
