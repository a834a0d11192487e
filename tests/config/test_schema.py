"""What a type cannot say: options that must be one of several, and that go together."""

import pytest

from lab.config import compose
from lab.config.schema import check, to_plain
from lab.errors import LabError


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["schedule.name=cosin"],
            "schedule.name=cosin does not fit: choose one of constant, cosine, wsd, or FILE.py:NAME",
        ),
        (["model.norm=rmsnrom"], r"model: norm=rmsnrom is no part of the lab: did you mean rmsnorm\?"),
        (["model.n_kv_heads=3"], "model: n_heads=8 is not divisible by n_kv_heads=3"),
        (["model.head_dim=3", "model.position=rope"], "position=rope turns pairs of numbers, and a head has 3"),
        (["trainer.accelerator=tpu"], "trainer.accelerator=tpu is unknown: choose one of auto, cpu, gpu, mps"),
        (["save_every=3"], "save_every keeps checkpoints, but save=false keeps none"),
        (["data.stride=300"], "data.stride=300 leaves out the text between two windows"),
        (["model.zz=1"], "there is no option|model.zz"),
        (["+model.zz=1"], "there is no option model.zz"),
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str], said: str) -> None:
    with pytest.raises(LabError, match=said):
        check(compose.compose_config(words))


def test_a_part_of_ones_own_is_an_option_like_any_other() -> None:
    config = check(compose.compose_config(["model.feed_forward=a b/idea.py:Gated", "schedule.name=idea.py:half"]))
    assert (config.model.feed_forward, config.schedule.name) == ("a b/idea.py:Gated", "idea.py:half")
    assert to_plain(config)["model"]["feed_forward"] == "a b/idea.py:Gated"


def test_a_recipe_is_a_word() -> None:
    llama = check(compose.compose_config(["model=llama_nano"])).model
    assert (llama.norm, llama.feed_forward, llama.position, llama.n_kv_heads) == ("rmsnorm", "swiglu", "rope", 4)
    assert (llama.emb_dim, llama.bias, llama.qkv_bias) == (256, False, False)
