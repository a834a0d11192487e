"""Every range belongs to an option, and holds."""

import pytest

from lab.config import compose
from lab.config.limits import LIMITS
from lab.config.schema import check
from lab.errors import LabError


@pytest.mark.parametrize("key", LIMITS)
def test_every_limit_belongs_to_an_option_and_is_enforced(key: str) -> None:
    extra = ["optimizer=sgd"] if key == "optimizer.momentum" else []
    limit = LIMITS[key]
    bad = [limit.low - 1] if limit.low is not None else []
    bad += [limit.high + 1] if limit.high is not None else []
    assert bad
    for number in bad:
        value = f"[{number},{number}]" if key == "optimizer.betas" else f"{number:g}"
        with pytest.raises(LabError, match=key.split(".")[-1]):
            check(compose.compose_config([*extra, f"{key}={value}"]))
