"""Each module is some part, and the FLOPs of the parts are those of the model."""

import pytest

from lab.config.compose import compose_config
from lab.config.schema import check
from lab.parts.build import outline
from lab.parts.cost import flops_per_token
from lab.profiling.parts import EMBEDDING, FEED_FORWARD, HEAD, NORMS, PROJECTIONS, SCORES, flops_by_part, part_of


@pytest.mark.parametrize(
    "words",
    [["model=nano"], ["model=llama_nano"], ["model=qwen3_nano"], ["model=gpt1_nano"], ["model.sliding_window=64"]],
    ids=lambda words: words[0],
)
def test_the_parts_add_up_to_the_model(words: list[str]) -> None:
    config = check(compose_config(words)).model
    found = flops_by_part(config)
    assert sum(found.values()) == flops_per_token(config)
    assert found[HEAD] == 6 * 50257 * 256
    # The square of the width is in what has no other weights but matrices, give or take biases.
    assert found[FEED_FORWARD] == pytest.approx(6 * 6 * 8 * 256**2, rel=0.05)
    assert found[SCORES] > 0


def test_modules_are_told_by_what_they_are_for() -> None:
    config = check(compose_config(["model=qwen3_nano"])).model
    found = {name: part_of(name, module) for name, module in outline(config).named_modules() if name}
    assert found["token_embedding"] == EMBEDDING
    assert found["blocks.3.attention.qk_norm"] == found["final_norm"] == NORMS
    assert found["blocks.0.attention"] == SCORES
    assert found["blocks.0.attention.project"] == PROJECTIONS
