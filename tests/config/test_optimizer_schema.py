"""What no type and no range says of an optimizer's options; and each of its files has a dataclass."""

import pytest

from lab.config.optimizer_schema import (
    AdafactorConfig,
    AdamWConfig,
    MuonConfig,
    OptimizerConfig,
    SGDConfig,
    check_optimizer,
    optimizers,
)
from lab.errors import LabError


@pytest.mark.parametrize(
    ("options", "tied", "said"),
    [
        (AdamWConfig(betas=(0.9,)), True, r"optimizer\.betas=\[0\.9\] does not fit"),  # type: ignore[arg-type]
        (MuonConfig(betas=(0.9, 0.9, 0.9)), True, r"two numbers"),  # type: ignore[arg-type]
        (AdamWConfig(head_lr=0.1), True, r"optimizer\.head_lr=0\.1: the head shares the matrix"),
        (MuonConfig(head_lr=0.1), True, r"give optimizer\.embedding_lr"),
        (MuonConfig(adjust_lr_fn="mine"), False, r"choose one of match_rms_adamw, original"),
    ],
)
def test_what_does_not_fit_is_refused(options: OptimizerConfig, tied: bool, said: str) -> None:
    with pytest.raises(LabError, match=said):
        check_optimizer(options, tied)


def test_what_fits_passes() -> None:
    for options in (AdamWConfig(head_lr=0.1), MuonConfig(head_lr=0.1), SGDConfig(), AdafactorConfig()):
        check_optimizer(options, tied=False)


def test_each_file_has_the_options_of_its_class() -> None:
    assert next(iter(optimizers())) == "adamw"  # whose defaults and sentences --help and the page show
    assert optimizers() == {"adamw": AdamWConfig, "muon": MuonConfig, "adafactor": AdafactorConfig, "sgd": SGDConfig}
