"""How fast a run has trained, as its log tells."""

from collections.abc import Sequence


def mean_rate(steps: Sequence[int], rates: Sequence[float]) -> float | None:
    """Tokens a second over all of a run, from the rates that it has logged, each between two written steps: all tokens
    by all seconds, and so the harmonic mean, weighted by steps. The first interval, in which memory is asked for and
    blocks are compiled, does not count unless there is no other; a run that went on in its folder has several first
    ones, of which one is left out. None: there is no point yet.
    """
    taken = [
        (step - before, rate)
        for before, step, rate in zip([0, *steps], steps, rates, strict=False)
        if step > before and rate > 0
    ]
    counted = taken[1:] or taken
    seconds = sum(n_steps / rate for n_steps, rate in counted)
    return sum(n_steps for n_steps, _ in counted) / seconds if seconds else None
