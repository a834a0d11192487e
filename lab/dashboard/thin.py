"""Long curves with few points, and no spike lost."""

import numpy as np


def thin(values: np.ndarray, points: int) -> np.ndarray:
    """Which of ``values``, ``(n,)`` float64, to show if at most ``points`` can be: their indices, in rising order.

    Every n-th point would hide the one step at which the loss jumped. Here the curve is cut into equal stretches, and
    of each its lowest and its highest point stay; so do the first and the last, and the first one in each stretch
    that is NaN or infinite, which is what one most wants to see.
    """
    n = len(values)
    if n <= points:
        return np.arange(n)
    if points < 5:  # too few for stretches: the ends, and what is in between as far as it goes
        return np.unique(np.array([0, n - 1, int(np.nanargmax(_finite(values)))][: max(1, points)]))
    borders = np.linspace(0, n, (points - 2) // 3 + 1).astype(np.int64)
    finite = np.isfinite(values)
    kept = {0, n - 1}
    low, high = np.where(finite, values, np.inf), np.where(finite, values, -np.inf)
    for start, end in zip(borders[:-1], borders[1:], strict=True):
        kept.add(int(start + low[start:end].argmin()))
        kept.add(int(start + high[start:end].argmax()))
        if not finite[start:end].all():
            kept.add(int(start + finite[start:end].argmin()))
    return np.array(sorted(kept))


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, -np.inf)
