"""From the options to a model: which class each part is."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import torch
from torch import nn
from torch.nn import init
from torch.overrides import TorchFunctionMode

from lab.errors import LabError
from lab.files import user_code
from lab.kernels.attention import attend_in_blocks
from lab.model import (
    GPT2,
    FeedForward,
    GPTConfig,
    GPTModel,
    LayerNorm,
    MultiHeadAttention,
    Parts,
    TransformerBlock,
)
from lab.parts.alibi import LinearBias
from lab.parts.attention import Attention
from lab.parts.config import ModelConfig
from lab.parts.post_norm import PostNormBlock
from lab.parts.relu2 import SquaredReLU
from lab.parts.rmsnorm import RMSNorm
from lab.parts.rope import RotaryPosition
from lab.parts.swiglu import SwiGLU

_NORMS: dict[str, Callable[..., nn.Module]] = {"layernorm": LayerNorm, "rmsnorm": RMSNorm}
_FEED_FORWARDS: dict[str, Callable[..., nn.Module]] = {"gelu": FeedForward, "swiglu": SwiGLU, "relu2": SquaredReLU}
_BLOCKS: dict[str, Callable[..., nn.Module]] = {"pre_norm": TransformerBlock, "post_norm": PostNormBlock}


def build_model(config: GPTConfig) -> GPTModel:
    """The model of ``config``, freshly initialised.

    Raises:
        LabError: if a part of the user's own is not to be had, or cannot be made.
    """
    model = GPTModel(config, parts_of(config))
    for module in model.modules():
        if isinstance(module, MultiHeadAttention):  # a user's own that is derived from it, too
            module.in_blocks = attend_in_blocks
    return model


def outline(config: GPTConfig) -> GPTModel:
    """The model of ``config`` with names and shapes, and no numbers: nothing is allocated.

    Raises:
        ValueError: if no model can be that large.
        LabError: as ``build_model``.
    """
    try:
        with torch.device("meta"), _Unfilled():
            return build_model(config)
    except (RuntimeError, TypeError, OverflowError) as error:  # so large that torch cannot multiply or even hold them
        raise ValueError(f"no model can have emb_dim={config.emb_dim:,}") from error


class _Unfilled(TorchFunctionMode):
    """Leaves out random numbers: there is no memory to fill, and torch would load half a compiler in order not to."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        if func in (init.normal_, init.uniform_, init.kaiming_uniform_, torch.Tensor.normal_, torch.Tensor.uniform_):
            return args[0] if args else given["tensor"]
        return func(*args, **given)


def parts_of(config: GPTConfig) -> Parts:
    """The parts that the options of ``config`` name.

    Raises:
        LabError: as ``build_model``.
    """
    if not isinstance(config, ModelConfig):
        return GPT2
    norm = _find("norm", config, _NORMS)
    feed_forward = _find("feed_forward", config, _FEED_FORWARDS)
    embedded, told = _position(config)
    return Parts(
        norm=norm if user_code.is_reference(config.norm) else partial(norm, eps=config.norm_eps),
        attention=cast(Any, _attention(config, told)),
        feed_forward=feed_forward
        if user_code.is_reference(config.feed_forward)
        else partial(feed_forward, hidden_dim=config.hidden_dim),
        block=cast(Any, _find("block", config, _BLOCKS)),  # a user's own is a block by the contract alone
        position_embedding=embedded,
    )


def _find(option: str, config: ModelConfig, known: dict[str, Callable[..., nn.Module]]) -> Callable[..., nn.Module]:
    """The class that an option names: one of the lab's, or the user's own, whose mistakes are his own, too."""
    name = getattr(config, option)
    if not user_code.is_reference(name):
        return known[name]
    made = user_code.load(f"model.{option}", name)

    def make(*arguments: Any) -> nn.Module:
        try:
            part = made(*arguments)
        except Exception as error:
            raise LabError(f"model.{option}={name} cannot be made ({type(error).__name__}: {error})") from error
        if not isinstance(part, nn.Module):
            raise LabError(f"model.{option}={name} makes a {type(part).__name__}, and must make a torch.nn.Module")
        return part

    return make


_Maker = Callable[[GPTConfig], nn.Module]


def _position(config: ModelConfig) -> tuple[_Maker | None, _Maker | None]:
    """What makes the positions that are added to the embeddings, and those that attention is told."""
    if config.position == "learned":
        return GPT2.position_embedding, None
    if config.position == "rope":
        return None, lambda _: RotaryPosition(config.head_size, config.rope_base)
    if config.position == "alibi":
        return None, lambda _: LinearBias(config.n_heads)
    if config.position == "none":
        return None, None
    own, made = _find("position", config, {}), user_code.load("model.position", config.position)
    return (None, own) if hasattr(made, "rotate") or hasattr(made, "bias") else (own, None)


def _attention(config: ModelConfig, position: _Maker | None) -> _Maker:
    if user_code.is_reference(config.attention):
        return _find("attention", config, {})
    changed = (config.n_kv_heads, config.head_dim, config.sliding_window)
    if position is None and not config.qk_norm and changed == (None, None, None):
        return MultiHeadAttention

    def make(shape: GPTConfig) -> nn.Module:
        shape = cast(ModelConfig, shape)
        return Attention(shape, position(shape) if position else None)

    return make
