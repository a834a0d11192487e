"""The range of every number among the options."""

import math
from typing import NamedTuple

from lab.errors import LabError


class Limit(NamedTuple):
    """A range for a number. ``None`` as a bound: no bound. The bounds belong to the range unless ``open``."""

    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False

    def holds(self, value: float) -> bool:
        if not math.isfinite(value):
            return False
        if self.low is not None and (value < self.low or (self.open_low and value == self.low)):
            return False
        return self.high is None or value < self.high or (value == self.high and not self.open_high)

    def __str__(self) -> str:
        low = "" if self.low is None else f"{'above' if self.open_low else 'at least'} {_number(self.low)}"
        high = "" if self.high is None else f"{'below' if self.open_high else 'at most'} {_number(self.high)}"
        return " and ".join(filter(None, (low, high)))

    def check(self, option: str, value: float) -> None:
        """
        Raises:
            LabError: if ``value`` is not in the range.
        """
        if not self.holds(value):
            finite = "" if math.isfinite(value) else "a finite number, "
            raise LabError(f"{option}={_number(value)} is out of range: it must be {finite}{self}")


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


POSITIVE = Limit(0, open_low=True)
AT_LEAST_0 = Limit(0)
AT_LEAST_1 = Limit(1)

LIMITS = {
    "model.emb_dim": AT_LEAST_1,
    "model.n_layers": AT_LEAST_1,
    "model.n_heads": AT_LEAST_1,
    "model.context_length": AT_LEAST_1,
    "model.drop_rate": Limit(0, 1, open_high=True),
    "model.n_kv_heads": AT_LEAST_1,
    "model.head_dim": AT_LEAST_1,
    "model.sliding_window": AT_LEAST_1,
    "model.hidden_dim": AT_LEAST_1,
    "model.rope_base": Limit(1, open_low=True),
    "model.norm_eps": POSITIVE,
    "corpus.seed": Limit(0, 2**32 - 1),
    "corpus.documents": AT_LEAST_1,
    "corpus.weights": AT_LEAST_0,
    "tokenizer.vocab_size": Limit(257, 2_000_000),
    "corpus.max_documents": AT_LEAST_1,
    "data.batch_size": AT_LEAST_1,
    "data.stride": AT_LEAST_1,
    "data.val_fraction": Limit(0, 1, open_low=True, open_high=True),
    "data.max_val_tokens": Limit(2),
    "data.max_train_tokens": Limit(2),
    "data.num_workers": Limit(0, 128),
    "optimizer.lr": POSITIVE,
    "optimizer.weight_decay": AT_LEAST_0,
    "optimizer.adamw_lr": POSITIVE,
    "optimizer.embedding_lr": POSITIVE,
    "optimizer.head_lr": POSITIVE,
    "optimizer.mup_base_width": AT_LEAST_1,
    "optimizer.ns_steps": Limit(1, 99),
    "optimizer.beta2_decay": Limit(high=0),
    "optimizer.d": AT_LEAST_1,
    "optimizer.betas": Limit(0, 1, open_high=True),
    "optimizer.eps": POSITIVE,
    "optimizer.momentum": Limit(0, 1, open_high=True),
    "schedule.warmup_steps": AT_LEAST_0,
    "schedule.min_lr_ratio": Limit(0, 1),
    "schedule.decay_fraction": Limit(0, 1, open_low=True),
    "schedule.total_steps": AT_LEAST_1,
    "trainer.max_epochs": AT_LEAST_1,
    "trainer.max_steps": AT_LEAST_1,
    "trainer.accumulate_grad_batches": AT_LEAST_1,
    "trainer.gradient_clip_val": POSITIVE,
    "trainer.devices": Limit(1, 4096),
    "trainer.num_nodes": Limit(1, 4096),
    "sample.max_tokens": Limit(0, 100_000),
    "sample.temperature": AT_LEAST_0,
    "sample.top_k": AT_LEAST_1,
    "save_every": AT_LEAST_1,
    "keep": AT_LEAST_1,
    "snapshots": Limit(0, 10_000),
    "eval_every": AT_LEAST_1,
    "log_every": AT_LEAST_1,
    "seed": Limit(0, 2**32 - 1),
}
"""The range of every number. ``--help`` prints it, ``check`` enforces it."""
