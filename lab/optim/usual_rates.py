"""Which learning rates are usual for an optimizer at a width: outside of these, a run is more likely a slip of the
finger than an experiment.

Measured once, one seed: 100 steps, 10 of them warmup, four windows of 64 tokens of the fables (``tokenizer=bpe``, 512
tokens), two layers, heads of 32. The mean training loss of the last ten steps, in nats a token; 6.24 is guessing, 5.2
is counting single tokens:

TABLE
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
        f"optimizer.lr={optimizer.lr:g} is far too {what} for this optimizer at a width of {emb_dim}: {outcome}. "
        f"Usual are {low:g} to {high:g}"
    )


def _rounded(rate: float) -> float:
    """In one significant digit, away from nothing that is usual."""
    return float(f"{rate:.0e}")
