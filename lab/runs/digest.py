"""A checksum over everything that a checkpoint says, whatever file it says it in."""

import hashlib
import os
import struct
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor


def digest(value: Any) -> str:
    """SHA-256 over nested dicts, lists, tensors and plain values: their order, types, shapes and bits.

    A tensor's memory is read where it lies, nothing is copied. One that has two names (a tied head) is read once.
    Tensors are read side by side: hashlib lets other threads run, and they are nearly all there is.

    Raises:
        TypeError: if there is something else among them.
    """
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        pieces = list(_pieces(value, {}, pool))
    whole = hashlib.sha256()
    for piece in pieces:
        told = piece.result() if isinstance(piece, Future) else piece
        # Its length first: "ab" and "c" are not "a" and "bc".
        whole.update(struct.pack("<q", len(told)))
        whole.update(told)
    return whole.hexdigest()


def _of_tensor(tensor: Tensor) -> bytes:
    return hashlib.sha256(_bytes(tensor)).digest()


def _pieces(value: Any, known: dict[Any, "Future[bytes]"], pool: Executor) -> Iterator["bytes | Future[bytes]"]:
    if isinstance(value, dict):
        yield f"dict {len(value)}".encode()
        for key, item in value.items():
            yield from _pieces(key, known, pool)
            yield from _pieces(item, known, pool)
    elif isinstance(value, list | tuple):
        yield f"{type(value).__name__} {len(value)}".encode()
        for item in value:
            yield from _pieces(item, known, pool)
    elif isinstance(value, Tensor) and value.layout is torch.strided and not value.is_meta:
        yield f"{value.dtype} {tuple(value.shape)}".encode()
        key = (value.data_ptr(), value.dtype, value.shape, value.stride(), value.device)
        if key not in known:
            known[key] = pool.submit(_of_tensor, value)
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
