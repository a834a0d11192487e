"""Long curves with few points."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.dashboard.store.downsample import downsample


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=400), st.integers(5, 60))
def test_thinning_keeps_ends_and_extremes(values: list[float], points: int) -> None:
    array = np.array(values)
    kept = downsample(array, points)
    assert len(kept) <= points
    assert len(values) > points or len(kept) == len(values)
    assert list(kept) == sorted(set(kept))
    assert {0, len(values) - 1} <= set(kept.tolist())
    finite = array[np.isfinite(array)]
    if len(finite):
        assert finite.max() in array[kept]
        assert finite.min() in array[kept]
    assert np.isfinite(array).all() or not np.isfinite(array[kept]).all()
