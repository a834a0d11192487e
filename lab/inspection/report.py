"""A model's inside on one prompt, as one report: all the numbers, and the figures that are drawn from them."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from lab.files import atomic, strict_json
from lab.inspection import figures
from lab.inspection.internals import Look, ablate_heads, look, neighbors, to_plain
from lab.model import GPTModel
from lab.tokenizers.contract import TextTokenizer


@dataclass(frozen=True)
class Report:
    """What was found; see ``lab.inspection.internals`` for what each number means."""

    tokens: list[str]
    """The text of each token of the prompt."""
    internals: Look
    head_ablation: Tensor | None
    """``(n_layers, n_heads)``: the change in loss without each head, in nats a token; None: it was not asked for."""
    neighbors: dict[int, list[tuple[int, float]]]
    """The nearest embeddings of each token of the prompt: token id and cosine, the nearest first."""
    tokenizer: TextTokenizer

    def pictures(self) -> dict[str, Callable[[], Any]]:
        """Each figure by its name, to be drawn when it is called."""
        seen, words, changes = self.internals, self.tokens, self.head_ablation
        name = partial(token_name, self.tokenizer)
        found: dict[str, Callable[[], Any]] = {
            "attention": lambda: figures.attention(seen, words),
            "residual_norms": lambda: figures.residual_norms(seen, words),
            "activations": lambda: figures.activations(seen),
            "logit_lens": lambda: figures.logit_lens(seen, words, name),
            "token_losses": lambda: figures.token_losses(seen, words),
            "neighbors": lambda: figures.neighbors(self.neighbors, name),
        }
        if changes is not None:
            found["head_ablation"] = lambda: figures.head_ablation(changes)
        return found

    def write_json(self, path: Path, source: Mapping[str, Any]) -> None:
        """All the numbers, below ``source``, which says what they are of.

        Raises:
            OSError: if the file cannot be written.
        """
        mentioned = {*self.neighbors, *(token for pairs in self.neighbors.values() for token, _ in pairs)}
        mentioned.update(self.internals.logit_lens.top_token_ids.flatten().tolist())
        everything = {
            **source,
            "tokens": self.tokens,
            **vars(self.internals),
            "head_ablation": self.head_ablation,
            "neighbors": self.neighbors,
            "vocabulary": {token: token_name(self.tokenizer, token) for token in sorted(mentioned)},
        }
        _write_json(path, everything)


def examine(model: GPTModel, token_ids: Tensor, tokenizer: TextTokenizer, top_k: int, ablate: bool = True) -> Report:
    """Looks at ``model`` while it reads ``token_ids``, ``(seq,)``. ``top_k`` candidates and neighbours are listed.

    Raises:
        ValueError: if there are no tokens, or more than the context holds.
    """
    seen = look(model, token_ids, top_k=top_k)
    changes = ablate_heads(model, token_ids) if ablate else None
    near = {token: neighbors(model, token, top_k) for token in dict.fromkeys(token_ids.tolist())}
    return Report([token_name(tokenizer, token) for token in token_ids.tolist()], seen, changes, near, tokenizer)


def token_name(tokenizer: TextTokenizer, token: int) -> str:
    """A token's text. Bytes that are only part of a character are written as \\xf0; an id that pads the vocabulary to a
    round size has no text."""
    if token >= tokenizer.vocab_size:
        return f"<{token}>"
    return tokenizer.decode_bytes([token]).decode("utf-8", errors="backslashreplace")


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    with atomic.writing(path) as file:
        for piece in _pieces(value):
            file.write(piece.encode("utf-8"))
        file.write(b"\n")


def _pieces(value: Any, indent: str = "\n") -> Iterator[str]:
    """JSON text in pieces of at most a matrix: as Python lists, the attention of a large model would fill gigabytes."""
    deeper = indent + "  "
    if dataclasses.is_dataclass(value):
        value = vars(value)
    if isinstance(value, dict):
        yield "{"
        for number, (key, one) in enumerate(value.items()):
            yield f"{',' if number else ''}{deeper}{strict_json.dumps(str(key))}: "
            yield from _pieces(one, deeper)
        yield indent + "}"
    elif (isinstance(value, Tensor) and value.ndim > 2) or (
        isinstance(value, list) and value and dataclasses.is_dataclass(value[0])
    ):
        yield "["
        for number, one in enumerate(value):
            yield f"{',' if number else ''}{deeper}"
            yield from _pieces(one, deeper)
        yield indent + "]"
    else:
        yield strict_json.dumps(to_plain(value))
