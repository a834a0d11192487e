"""A model for weights that are there already, and weights before a kernel believes them: of the model they are said to
be of, and numbers."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from lab.model import GPTConfig, GPTModel
from lab.parts.build import outline


def without_memory(config: GPTConfig, names: Iterable[str]) -> GPTModel:
    """``outline``, for weights that are called ``names``.

    Raises:
        ValueError: if no model can be that large, or these weights cannot be those of one as deep.
    """
    # Before anything is done n_layers times: a file may say a billion.
    depth = n_blocks(names)
    if config.n_layers != depth:
        raise ValueError(f"it says that the model has {config.n_layers:,} layers, and its weights have {depth}")
    return outline(config)


def n_blocks(names: Iterable[str]) -> int:
    """How many blocks weights of these names are of."""
    return len({name.split(".")[1] for name in names if name.startswith("blocks.")})


def with_weights(config: GPTConfig, weights: Mapping[str, Tensor]) -> GPTModel:
    """The ``GPTModel`` of ``config``, in evaluation mode, made of ``weights`` by the names of its ``state_dict``: of
    these tensors themselves, instead of memory that is first filled with random numbers and then copied to. Tied
    embeddings need no ``head.weight``.

    Raises:
        RuntimeError: if they are not the weights of such a model.
    """
    model = outline(config)
    shared = {"head.weight": weights["token_embedding.weight"]} if config.tie_embeddings else {}
    model.load_state_dict({**weights, **shared}, assign=True)
    if config.tie_embeddings:  # two parameters of one tensor otherwise
        model.head.weight = model.token_embedding.weight
    return model.eval()


def in_memory(tree: Any) -> Any:
    """Nested dicts and lists with the numbers of their tensors in memory, instead of in a file that is mapped to it,
    where whoever writes to the file changes them. Tensors that share their numbers go on sharing them.

    What is no plain block of numbers stays as it is.
    """
    return _in_memory(tree, {})


def _in_memory(tree: Any, known: dict[int, torch.UntypedStorage]) -> Any:
    if isinstance(tree, dict):
        return {key: _in_memory(value, known) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(_in_memory(value, known) for value in tree)
    if type(tree) is not Tensor or tree.layout is not torch.strided or tree.is_meta or tree.is_quantized:
        return tree
    mapped = tree.untyped_storage()
    if mapped.data_ptr() not in known:
        known[mapped.data_ptr()] = mapped.clone()
    own = torch.empty(0, dtype=tree.dtype)
    return own.set_(known[mapped.data_ptr()], tree.storage_offset(), tree.shape, tree.stride())


def within(tensor: Tensor, low: float | None = None) -> bool:
    """Are all numbers of a tensor finite, and none below ``low``? In one pass, without memory of its own."""
    if tensor.numel() == 0:
        return True
    least, most = (bound.item() for bound in torch.aminmax(tensor))
    return float("-inf") < least <= most < float("inf") and (low is None or least >= low)
