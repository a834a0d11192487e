"""What a model costs, counted from its options: parameters, arithmetic, cache. Exact, and nothing is allocated."""

from dataclasses import replace
from typing import cast

from lab.errors import LabError
from lab.model import GPTConfig, GPTModel, TransformerBlock
from lab.parts.build import outline


def parameters(config: GPTConfig) -> int:
    """How many numbers a model learns: ``build_model(config).num_parameters()``, from the outline of a single block,
    since a billion layers would take hours to make.

    Raises:
        LabError: if no model can be that large.
    """
    one = one_block(config)
    return one.num_parameters() + (config.n_layers - 1) * _block(one)


def inner_parameters(config: GPTConfig) -> int:
    """The same without embeddings and head: ``num_parameters(include_embeddings=False)``."""
    one = one_block(config)
    return one.num_parameters(include_embeddings=False) + (config.n_layers - 1) * _block(one)


def one_block(config: GPTConfig) -> GPTModel:
    """The outline of the model with a single block: the others are alike.

    Raises:
        LabError: if no model can be that large.
    """
    try:
        return outline(replace(config, n_layers=1))
    except ValueError as error:
        raise LabError(f"model.emb_dim={config.emb_dim}: torch cannot count that many numbers; take fewer") from error


def _block(model: GPTModel) -> int:
    return sum(parameter.numel() for parameter in model.blocks[0].parameters())


def attention_span(config: GPTConfig) -> int:
    """The most tokens that a position looks at."""
    return min(config.context_length, getattr(config, "sliding_window", None) or config.context_length)


def flops_per_token(config: GPTConfig) -> int:
    """Floating-point operations to train on one token (forward and backward).

    Each weight of a matrix takes part in one multiplication and one addition forward, and in twice as many backward:
    6 a weight. Attention adds 12 x n_layers x n_heads x head_dim x seq for the scores and the weighted sums (Chowdhery
    et al. 2022, appendix B, https://arxiv.org/abs/2204.02311), where seq is what a position looks at. Looking up an
    embedding multiplies nothing: position embeddings do not count, nor do token embeddings, unless they are also the
    head. Of a part of the user's own, its weights count, and what it computes without weights does not.
    """
    multiplied = inner_parameters(config) + config.vocab_size * config.emb_dim
    width = getattr(config, "head_size", config.emb_dim // config.n_heads) * config.n_heads
    return 6 * multiplied + 12 * config.n_layers * width * attention_span(config)


def cache_numbers_per_token(config: GPTConfig) -> int:
    """Numbers that the cache keeps for each token of a text: keys and values of all layers."""
    attention = cast(TransformerBlock, one_block(config).blocks[0]).attention
    return 2 * config.n_layers * attention.n_kv_heads * attention.head_dim
