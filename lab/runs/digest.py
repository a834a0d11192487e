"""A checksum over everything that a checkpoint says, whatever file it says it in."""

import hashlib
import struct
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor


def digest(value: Any) -> str:
    """SHA-256 over nested dicts, lists, tensors and plain values: their order, types, shapes and bits.

    A tensor's memory is read where it lies, nothing is copied. One that has two names (a tied head) is read once.

    Raises:
        TypeError: if there is something else among them.
    """
    return str(_digest(value, {}).hexdigest())


def _digest(value: Any, known: dict[Any, bytes]) -> Any:
    whole = hashlib.sha256()
    for piece in _pieces(value, known):
        # Its length first: "ab" and "c" are not "a" and "bc".
        whole.update(struct.pack("<q", len(piece)))
        whole.update(piece)
    return whole


def _pieces(value: Any, known: dict[Any, bytes]) -> Iterator[Any]:
    if isinstance(value, dict):
        yield f"dict {len(value)}".encode()
        for key, item in value.items():
            yield from _pieces(key, known)
            yield from _pieces(item, known)
    elif isinstance(value, list | tuple):
        yield f"{type(value).__name__} {len(value)}".encode()
        for item in value:
            yield from _pieces(item, known)
    elif isinstance(value, Tensor) and value.layout is torch.strided and not value.is_meta:
        yield f"{value.dtype} {tuple(value.shape)}".encode()
        key = (value.data_ptr(), value.dtype, value.shape, value.stride(), value.device)
        if key not in known:
            known[key] = hashlib.sha256(_bytes(value)).digest()
        yield known[key]
    elif value is None or type(value) in (bool, int, str):
        yield f"{type(value).__name__} {value!r}".encode("utf-8", "surrogatepass")
    elif type(value) is float:
        yield b"float " + struct.pack("<d", value)  # NaN has many bits, and no word
    else:
        raise TypeError(f"a {type(value).__name__} has no checksum")


def _bytes(tensor: Tensor) -> Any:
    """The numbers of a tensor, in their order, as something that hashlib reads."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy()
