"""The parts that a step's time and arithmetic are told by, and which of them each module of a model is."""

from torch import nn

from lab.model import GPTConfig
from lab.parts.cost import flops_per_token, one_block

EMBEDDING = "embedding"
NORMS = "norms"
PROJECTIONS = "attention projections"
SCORES = "attention scores"
FEED_FORWARD = "feed-forward"
DROPOUT = "dropout"
RESIDUAL = "residual stream"
BLOCKS = "compiled blocks"
HEAD = "head and loss"
OPTIMIZER = "optimizer"
DATA = "data"
REST = "the rest"

PARTS = (
    *(EMBEDDING, NORMS, PROJECTIONS, SCORES, FEED_FORWARD, DROPOUT, RESIDUAL, BLOCKS, HEAD, OPTIMIZER),
    *(DATA, REST),
)
"""In the order in which they are shown. ``RESIDUAL`` is what blocks do themselves: they add. ``OPTIMIZER`` is also the
clipping of the gradient, and ``REST`` what Lightning and autograd do between the parts."""


def part_of(path: str, module: nn.Module) -> str:
    """The part that the module at ``path`` (``blocks.0.attention.qkv``) is, without those that it is made of."""
    names = path.split(".")
    if "dropout" in names[-1]:
        return DROPOUT
    if any("norm" in name for name in names):
        return NORMS
    if "attention" in names:
        return PROJECTIONS if isinstance(module, nn.Linear) else SCORES
    if "feed_forward" in names:
        return FEED_FORWARD
    if names[0] == "head":
        return HEAD
    return RESIDUAL if names[0] == "blocks" else EMBEDDING


def flops_by_part(config: GPTConfig) -> dict[str, int]:
    """Floating-point operations to train on one token, by part; together ``lab.parts.cost.flops_per_token``."""
    found = dict.fromkeys(PARTS, 0)
    model = one_block(config)
    for path, module in model.named_modules():
        numbers = sum(parameter.numel() for parameter in module.parameters(recurse=False))
        if path.startswith("blocks."):
            found[part_of(path, module)] += 6 * numbers * config.n_layers
        elif path == "final_norm" or path.startswith("final_norm."):
            found[NORMS] += 6 * numbers
    found[HEAD] = 6 * config.vocab_size * config.emb_dim
    found[SCORES] += flops_per_token(config) - sum(found.values())  # of products without weights
    return found
