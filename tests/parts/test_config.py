"""What a description of a model has to say."""

from dataclasses import asdict

import pytest

from lab.model import GPTConfig
from lab.parts.config import ModelConfig, from_plain, own_parts


def test_what_was_written_is_read_again() -> None:
    shape = ModelConfig(norm="rmsnorm", n_kv_heads=2, head_dim=64, rope_base=500000, norm_eps=1e-6)
    assert from_plain(asdict(shape)) == shape
    assert from_plain(asdict(GPTConfig(n_layers=3))) == ModelConfig(n_layers=3)  # a file of before there were parts


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"n_layers": None}, "n_layers is None"),
        ({"n_kv_heads": 2.0}, "n_kv_heads is 2.0"),
        ({"qk_norm": 1}, "qk_norm is 1"),
        ({"norm": 3}, "norm is 3"),
        ({"rope_base": True}, "rope_base is True"),
        ({"colour": 3}, "it has an option 'colour'"),
    ],
)
def test_what_is_none(changes: dict[str, object], said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        from_plain({**asdict(ModelConfig()), **changes})


def test_what_is_missing() -> None:
    sizes = asdict(GPTConfig())
    del sizes["n_heads"]
    with pytest.raises(ValueError, match="it does not say n_heads"):
        from_plain(sizes)
    with pytest.raises(TypeError, match="not an object"):
        from_plain([])


def test_parts_of_ones_own() -> None:
    assert own_parts(ModelConfig(norm="a.py:N", block="b.py:B")) == {"norm": "a.py:N", "block": "b.py:B"}
    assert own_parts(GPTConfig()) == {}
