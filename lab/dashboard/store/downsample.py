"""Long curves with few points, and no spike lost."""

from itertools import pairwise

import numpy as np


def downsample(values: np.ndarray, points: int) -> np.ndarray:
    """Which of ``values``, ``(n,)`` float64, to show if at most ``points`` can be: their indices, in rising order.

    Every n-th point would hide the one step at which the loss jumped. Here the curve is cut into equal stretches, and
    of each its lowest and its highest point stay; so do the first and the last, and the first one in each stretch
    that is NaN or infinite, which is what one most wants to see.

    Raises:
        ValueError: if ``points`` is below 5 and not enough.
    """
    n = len(values)
    if n <= points:
        return np.arange(n)
    if points < 5:
        raise ValueError(f"{points} points are too few to keep both ends and what is between them")
    borders = np.linspace(0, n, (points - 2) // 3 + 1).astype(np.int64)
    finite = np.isfinite(values)
    kept = {0, n - 1}
    low, high = np.where(finite, values, np.inf), np.where(finite, values, -np.inf)
    for start, end in pairwise(borders.tolist()):
        kept.add(int(start + low[start:end].argmin()))
        kept.add(int(start + high[start:end].argmax()))
        if not finite[start:end].all():
            kept.add(int(start + finite[start:end].argmin()))
    return np.array(sorted(kept))
