"""Which learning rates are usual for an optimizer at a width: outside of these, a run is more likely a slip of the
finger than an experiment.

Measured once, one seed: 100 steps, 10 of them warmup, four windows of 64 tokens of the fables (``tokenizer=bpe``, 512
tokens), two layers, heads of 32. The mean training loss of the last ten steps, in nats a token; 6.24 is guessing, 5.2
is counting single tokens:

    AdamW        1e-5  1e-4  3e-4  1e-3  3e-3  1e-2  3e-2  1e-1  3e-1
    width 32     6.23  6.01  5.67  5.27  5.11  5.11  5.28  5.31  5.41
    width 64     6.20  5.82  5.38  5.02  4.88  5.19  5.29  5.32  5.44
    width 128    6.12  5.49  5.04  4.53  4.66  5.12  5.29  5.36  5.56
    Muon         1e-5  1e-4        1e-3  3e-3  1e-2  3e-2  1e-1  3e-1
    width 32     6.23  6.04        5.25  4.94  4.48  4.49  5.12  5.40
    width 64     6.22  5.89        5.00  4.45  4.25  4.37  5.26  5.47
    width 128    6.21  5.60        4.49  4.04  4.18  4.45  5.25  5.56
    SGD          1e-4  1e-3  1e-2  1e-1  3e-1     1     3    10
    width 32     6.20  6.06  5.45  5.24  5.18  5.16  27.6   616
    width 64     6.20  5.95  5.36  5.12  5.09  5.31  38.0   226
    width 128    6.21  5.87  5.23  4.75  4.94  5.34  42.1   234
    Adafactor    1e-4  1e-3  3e-3  1e-2  3e-2  1e-1  3e-1     1
    width 32     6.24  6.22  6.09  5.50  4.88  4.42  4.38  4.61
    width 64     6.24  6.17  5.91  5.26  4.52  4.26  4.47  5.10

At a few times AdamW's best rate the loss leaps on its way: at width 32 and 3e-2 to 10.0, at width 64 to 9.9, at width
128 and 1e-2 to 9.5. What is usual is drawn wide: from where a hundred steps hardly learn to where they leap. Models
that are wider were not measured.
"""

from lab.config.optimizer_schema import AdafactorConfig, AdamWConfig, MuonConfig, OptimizerConfig, SGDConfig

_BY_WIDTH: dict[type[OptimizerConfig], tuple[float, float]] = {AdamWConfig: (0.003, 0.9), MuonConfig: (0.003, 3.0)}
"""Divided by the width: the wider a matrix, the more weights add up in each of its results, and the smaller a step of
each has to be (see ``lab.optim.mup``)."""

_AT_ANY_WIDTH: dict[type[OptimizerConfig], tuple[float, float]] = {
    SGDConfig: (0.001, 2.0),
    AdafactorConfig: (0.001, 1.0),
}
"""Adafactor's rate is a share of the size of the weights, and gradient descent's has no measure but the clipping."""


def of(optimizer: OptimizerConfig, emb_dim: int) -> tuple[float, float] | None:
    """The lowest and the highest usual ``optimizer.lr`` for a model of this width; None where nothing is known: of a
    class of the user's own, or with steps of another size."""
    kind = type(optimizer)
    if optimizer._target_ != kind._target_:
        return None
    if isinstance(optimizer, MuonConfig) and optimizer.adjust_lr_fn != "match_rms_adamw":
        return None
    if isinstance(optimizer, AdamWConfig) and optimizer.mup_base_width is not None:
        emb_dim = optimizer.mup_base_width
    if kind in _AT_ANY_WIDTH:
        return _AT_ANY_WIDTH[kind]
    if kind not in _BY_WIDTH:
        return None
    low, high = _BY_WIDTH[kind]
    return _rounded(low / emb_dim), _rounded(high / emb_dim)


def warning(optimizer: OptimizerConfig, emb_dim: int, begins_trained: bool = False) -> str | None:
    """A sentence for a learning rate that is far outside of what is usual; None: it is not, or nothing is known.

    A model that ``begins_trained`` may well be trained with a small rate.
    """
    rates = of(optimizer, emb_dim)
    if rates is None or rates[0] <= optimizer.lr <= rates[1] or (begins_trained and optimizer.lr < rates[0]):
        return None
    low, high = rates
    what, outcome = ("high", "the loss will probably jump, or stay high")
    if optimizer.lr < low:
        what, outcome = ("low", "the loss will hardly move")
    return (
        f"a learning rate of {optimizer.lr:g} is far too {what} for this optimizer at a width of {emb_dim}: {outcome}; "
        f"usual are {low:g} to {high:g}"
    )


def _rounded(rate: float) -> float:
    """In one significant digit, away from nothing that is usual."""
    return float(f"{rate:.0e}")
