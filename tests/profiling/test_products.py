"""The matrix products of a step: as many operations as the model's."""

import pytest
import torch
from torch import nn

from lab.config.compose import compose_config
from lab.config.schema import check
from lab.parts.build import outline
from lab.profiling.products import Product, Runner, number_format, products_of


@pytest.mark.parametrize("words", [["model=nano"], ["model=llama_nano"], ["model.sliding_window=64"]])
def test_they_are_those_of_all_weights_and_scores(words: list[str]) -> None:
    config = check(compose_config(words)).model
    matrices = [module for module in outline(config).modules() if isinstance(module, nn.Linear)]
    weights = sum(module.in_features * module.out_features for module in matrices)
    looked_at = 64 if "model.sliding_window=64" in words else 256
    expected = 3 * 256 * (6 * weights + 12 * 6 * 256 * looked_at)
    assert sum(product.flops for product in products_of(config, 3)) == expected


@pytest.mark.parametrize("transposed", ["", "left", "right"])
def test_a_product_has_its_shape_however_it_lies(transposed: str) -> None:
    product = Product("part", 2, 3, 4, 5, 2, transposed)  # type: ignore[arg-type]
    runner = Runner([product], torch.float32, torch.device("cpu"))
    ((_, left, right, result),) = runner._work
    assert (left.shape, right.shape) == ((2, 3, 4), (2, 4, 5))
    runner.run()
    assert torch.equal(result, left @ right)
    assert left.is_contiguous() == (transposed != "left")
    assert runner.seconds("part", tries=1) > 0


def test_the_number_format_is_that_of_the_products() -> None:
    formats = {"32-true": torch.float32, "bf16-mixed": torch.bfloat16, "bf16-true": torch.bfloat16}
    assert {name: number_format(name) for name in formats} == formats
    assert number_format("16-mixed") is torch.float16
