"""Weight decay is for matrices."""

from torch import nn

from lab.model import GPTConfig, GPTModel
from lab.optim.parameter_groups import decay_groups


def test_matrices_decay_and_vectors_do_not() -> None:
    for tied in (True, False):
        model = GPTModel(GPTConfig(emb_dim=8, n_layers=2, n_heads=2, vocab_size=11, tie_embeddings=tied))
        matrices, vectors = decay_groups(model, 0.1)
        assert (matrices["weight_decay"], vectors["weight_decay"]) == (0.1, 0.0)
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        decayed = {names[id(parameter)] for parameter in matrices["params"]}
        # By name, not by shape: a norm's scale and every bias are left alone.
        left_alone = ("bias", "scale", "shift")
        assert decayed == {name for name in names.values() if not name.endswith(left_alone)}
        both = [id(parameter) for group in (matrices, vectors) for parameter in group["params"]]
        assert sorted(both) == sorted(names)  # each once, a tied weight too


def test_what_is_frozen_is_in_no_group() -> None:
    model = nn.Linear(3, 2)
    model.weight.requires_grad_(False)
    matrices, vectors = decay_groups(model, 0.5)
    assert matrices["params"] == []
    assert [id(parameter) for parameter in vectors["params"]] == [id(model.bias)]
