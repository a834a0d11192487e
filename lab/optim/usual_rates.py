"""Which learning rates are usual for an optimizer at a width: outside of these, a run is more likely a slip of the
finger than an experiment.

Measured once, one seed: 100 steps, 10 of them warmup, four windows of 64 tokens of the fables (``tokenizer=bpe``, 512
tokens), two layers, heads of 32; the mean training loss of the last ten, in nats a token. 6.24 is guessing, 5.2 is
counting single tokens.

TABLE

The best rate of AdamW, and of Muon, which is scaled to make steps of AdamW's size, falls with the width; GPT-3's own
choice (Brown et al. 2020, table 2.1: 6e-4 at 768, 1.2e-4 at 4,096, 0.6e-4 at 12,288) has the same slope. What the tables
of this lab can not tell is where a large model diverges: the ranges are wide, and meant to be.
"""

from lab.config.optimizer_schema import AdafactorConfig, AdamWConfig, MuonConfig, OptimizerConfig, SGDConfig

_WITH_WIDTH: tuple[tuple[type[OptimizerConfig], float, float], ...] = ()
