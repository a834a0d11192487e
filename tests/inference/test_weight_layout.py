"""Another order in memory, the same model."""

import pytest
import torch

from lab.inference.sampling import Sampling, generate
from lab.inference.weight_layout import by_columns
from lab.model import GPTConfig, GPTModel


@pytest.mark.parametrize("tied", [True, False])
def test_by_columns_a_model_says_the_same(tied: bool) -> None:
    torch.manual_seed(1)
    model = GPTModel(GPTConfig(24, 2, 2, 16, drop_rate=0.0, tie_embeddings=tied, vocab_size=99)).eval()
    ids = torch.randint(99, (2, 16))
    with torch.no_grad():
        weights = {name: value.clone() for name, value in model.state_dict().items()}
        expected, text = model(ids), generate(model, [[3, 7]], 40, Sampling(0.9, 20), seed=2)
        by_columns(model)
        assert torch.allclose(model(ids), expected, atol=1e-5)
    assert model.head.weight.stride() == (1, 99)  # the numbers of a column, one for each output, side by side
    assert model.blocks[0].feed_forward.project.weight.stride() == (96, 1)  # longer as they are
    assert (model.head.weight is model.token_embedding.weight) == tied
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert generate(model, [[3, 7]], 40, Sampling(0.9, 20), seed=2) == text
