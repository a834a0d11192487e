"""What a run will need, by counting."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.config import compose
from lab.config.schema import check
from lab.model import GPTConfig, GPTModel
from lab.training import memory_estimate


def test_the_memory_of_training_follows_the_options() -> None:

    def kinds(*options: str) -> dict[str, float]:
        config = check(compose.compose_config(options))
        with torch.device("meta"):
            model = GPTModel(config.model)
        return {k: v / model.num_parameters() for k, v in memory_estimate.training_memory(config).items()}

    for options, kept, optimizer in (
        ((), 4, 8),
        (("trainer.precision=bf16-mixed",), 4, 8),
        (("trainer.precision=bf16-true",), 2, 4),
        (("optimizer=sgd",), 4, 4),
        (("optimizer=sgd", "optimizer.momentum=0"), 4, 0),
    ):
        found = kinds(*options)
        assert (found["weights"], found["gradients"], found["optimizer"]) == (kept, kept, optimizer)
    assert kinds("trainer.precision=bf16-true")["activations"] == kinds("trainer.precision=bf16-mixed")["activations"]


@settings(max_examples=30, deadline=None)
@given(st.booleans(), st.booleans(), st.booleans(), st.integers(1, 4), st.integers(1, 3), st.integers(1, 9))
def test_the_counted_parameters_are_those_of_the_model(
    bias: bool, qkv_bias: bool, tied: bool, emb_dim: int, n_layers: int, context_length: int
) -> None:
    sizes = {"emb_dim": emb_dim, "n_layers": n_layers, "n_heads": 1, "context_length": context_length, "vocab_size": 11}
    shape = GPTConfig(**sizes, bias=bias, qkv_bias=qkv_bias, tie_embeddings=tied)
    model = GPTModel(shape)
    assert memory_estimate.parameters(shape) == model.num_parameters()
    assert memory_estimate.inner_parameters(shape) == model.num_parameters(include_embeddings=False)


def test_activations_grow_with_the_batch_and_shrink_with_checkpointing() -> None:
    def activations(*options: str) -> int:
        return memory_estimate.training_memory(check(compose.compose_config(options)))["activations"]

    usual = activations()
    assert activations("data.batch_size=8") == 2 * usual
    assert activations("model.activation_checkpointing=true") < usual
    assert activations("model.drop_rate=0") < usual
