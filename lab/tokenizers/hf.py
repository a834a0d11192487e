"""Somebody's tokenizer, as Hugging Face's libraries keep it: a ``tokenizer.json``.

Two families say exactly which bytes of text each of their tokens stands for, and are taken:

- byte-level ones (GPT-2, Llama 3, Qwen, SmolLM2): a token is written in an alphabet of 256 signs, one a byte;
- SentencePiece's (Llama 2, Mistral, Gemma): a token is text with ``▁`` for the blank, and what has no token is written
  in bytes, ``<0x0A>``. Most of them put a blank in front of a text that is not in it, and take it away again.

A tokenizer may change a text before it cuts it (NFC, lower case), and then decoding does not give that text back.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers

from lab.errors import LabError
from lab.files import strict_json
from lab.tokenizer import BORDER, ENDOFTEXT, utf8
from lab.tokenizers.contract import Definition, PieceTokenizer, id_type

LARGEST_JSON = 64 * 2**20
"""Bytes of a ``tokenizer.json``: Gemma's, one of the largest, has 33 MB."""
MOST_TOKENS = 2_000_000
FILE = "tokenizer.json"
_ENDS = (ENDOFTEXT, "<|end_of_text|>", "</s>", "<eos>", "[EOS]", "<|im_end|>")
"""How the token that ends a text is called, where nothing beside the file says it."""
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_BLANK = "▁"


class JsonTokenizer(PieceTokenizer):
    """A tokenizer from the content of a ``tokenizer.json``. ``<|endoftext|>`` and its like, typed in a text, are text.

    Args:
        name: the choice of ``tokenizer=``: ``hf`` or ``bpe``.
        content: the file's.
        endoftext: the id of the token between documents; None: the one with a usual name.

    Raises:
        LabError: if it is damaged, of a kind whose tokens do not say which bytes they stand for, or has no token that
            could end a text.
    """

    def __init__(self, name: str, content: str, endoftext: int | None = None) -> None:
        self.name = name
        self.content = content
        with _guarded():
            self._inner = tokenizers.Tokenizer.from_str(content)
            self._inner.encode_special_tokens = True  # a text that mentions a special token does not contain one
            self._inner.no_truncation()
            self._inner.no_padding()
            words = self._inner.get_vocab(with_added_tokens=True)
            added = self._inner.get_added_tokens_decoder()
        parsed = strict_json.loads(content)
        largest = max(words.values(), default=-1)
        if not 0 < largest < MOST_TOKENS:
            raise LabError(f"the tokenizer has ids up to {largest:,}: the lab takes vocabularies up to {MOST_TOKENS:,}")
        special = [token for token, word in added.items() if word.special]
        self._has_prefix = _puts_blank_in_front(parsed)
        end = _end_token(words, special) if endoftext is None else endoftext
        if end not in added:
            raise LabError(f"the tokenizer has no token with the id {end} of its own that could end a text")
        literal = {word.content: utf8(word.content) for word in added.values()}
        pieces = _pieces(words, literal, _is_byte_level(parsed), _BLANK if _has_blank_sign(parsed) else " ")
        super().__init__(pieces, end, special)
        self.border = BORDER if _cuts_like_gpt2(parsed) else None

    @cached_property
    def fingerprint(self) -> str:
        """Of the file and the end of a text."""
        return f"{self.name}-{hashlib.sha256(f'{self.endoftext} {self.content}'.encode()).hexdigest()}"

    @property
    def definition(self) -> Definition:
        """The file as a text, and the token that ends documents."""
        return {"name": self.name, "tokenizer_json": self.content, "endoftext": self.endoftext}

    def encode_array(self, text: str) -> np.ndarray:
        """``(n_tokens,)``, without the special tokens that a model may want in front. Lets other threads run.

        Raises:
            ValueError: if ``text`` has a lone surrogate.
        """
        utf8(text)
        with _guarded():
            (found,) = self._inner.encode_batch_fast([text], add_special_tokens=False)
        return np.array(found.ids, dtype=id_type(self.vocab_size))

    def decode(self, ids: Any) -> str:
        """The text of ``ids``, without the blank that was put in front of it."""
        data = self.decode_bytes(ids)
        return (data.removeprefix(b" ") if self._has_prefix else data).decode("utf-8", errors="replace")

    def byte_lengths(self) -> np.ndarray:
        """``(vocab_size,)`` int64.

        Where a blank is put in front of each document, the token that ends the one before counts as minus one: so all
        of them together are the bytes of the text.
        """
        lengths = super().byte_lengths()
        lengths[self.endoftext] = -1 if self._has_prefix else 0
        return lengths


def open_path(path: Path) -> JsonTokenizer:
    """The tokenizer in a ``tokenizer.json``, or in a folder that has one.

    Raises:
        LabError: if it is not there, cannot be read, or is none that the lab can use.
    """
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise LabError(f"tokenizer.path={path} has no {FILE}: give such a file, or the folder of a model that has one")
    try:
        if file.stat().st_size > LARGEST_JSON:
            raise LabError(f"{file} is larger than {LARGEST_JSON:,} bytes: that is no tokenizer")
        return JsonTokenizer("hf", file.read_text(encoding="utf-8"), _end_beside(file))
    except (OSError, ValueError) as error:
        raise LabError(f"{file} cannot be read ({error}): get it again") from error
    except LabError as error:
        raise LabError(f"{file}: {error}") from error


def _end_beside(file: Path) -> int | None:
    """The token that ends a text, as the files beside ``file`` name it; None: they don't."""
    beside = file.with_name("tokenizer_config.json")
    if not beside.is_file() or beside.stat().st_size > LARGEST_JSON:
        return None
    found = strict_json.loads(beside.read_text(encoding="utf-8"))
    named = found.get("eos_token") if isinstance(found, dict) else None
    word = named.get("content") if isinstance(named, dict) else named
    added = strict_json.loads(file.read_text(encoding="utf-8")).get("added_tokens") or []
    ids = [token.get("id") for token in added if isinstance(token, dict) and token.get("content") == word]
    return ids[0] if ids and type(ids[0]) is int else None


class _guarded:
    """Turns what the library says of a file into a sentence; it panics over some, which is no ``Exception``."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if error is not None and (type(error) is Exception or type(error).__name__ == "PanicException"):
            reason = " ".join(str(error).split())[:200]
            raise LabError(f"the tokenizer is damaged or of another kind ({reason}): get it again") from error


def _parts(parsed: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """The steps of a pipeline: of ``normalizer``, ``pre_tokenizer`` or ``decoder``, sequences taken apart."""
    ahead = [parsed.get(name)]
    while ahead:
        step = ahead.pop(0)
        if isinstance(step, dict):
            inner = next((v for k, v in step.items() if isinstance(v, list) and step.get("type") == "Sequence"), None)
            if inner is None:
                yield step
            else:
                ahead = [*inner, *ahead]


def _is_byte_level(parsed: dict[str, Any]) -> bool:
    kinds = {step.get("type") for name in ("pre_tokenizer", "decoder") for step in _parts(parsed, name)}
    model = parsed.get("model") or {}
    if "ByteLevel" in kinds:
        return True
    if model.get("type") in ("BPE", "Unigram") and ("ByteFallback" in kinds or _has_blank_sign(parsed)):
        return False
    raise LabError(
        f"the tokenizer is of the kind {model.get('type')!a:.40}, whose tokens do not say which bytes they stand for: "
        "the lab takes byte-level ones (as GPT-2's and Llama 3's) and SentencePiece's (as Llama 2's)"
    )


def _has_blank_sign(parsed: dict[str, Any]) -> bool:
    """Is a blank written as ``▁``?"""
    steps = [parsed.get(name) for name in ("normalizer", "pre_tokenizer", "decoder")]
    return _BLANK in json.dumps(steps, ensure_ascii=False) or '"Metaspace"' in json.dumps(steps)


def _puts_blank_in_front(parsed: dict[str, Any]) -> bool:
    for step in _parts(parsed, "pre_tokenizer"):
        if step.get("type") == "Metaspace" and step.get("prepend_scheme", "always") != "never":
            return step.get("add_prefix_space") is not False
        if step.get("type") == "ByteLevel" and step.get("add_prefix_space"):
            return True
    return any(step.get("type") == "Prepend" for step in _parts(parsed, "normalizer"))


def _cuts_like_gpt2(parsed: dict[str, Any]) -> bool:
    """Is a text cut into words by GPT-2's rule and by nothing before it, so that ``BORDER`` holds?"""
    steps = list(_parts(parsed, "pre_tokenizer"))
    plain = [step for step in parsed.get("added_tokens") or [] if not step.get("special")]
    return (
        not plain
        and parsed.get("normalizer") is None
        and len(steps) == 1
        and steps[0].get("type") == "ByteLevel"
        and steps[0].get("use_regex") is not False
        and not steps[0].get("add_prefix_space")
    )


def _pieces(words: dict[str, int], literal: dict[str, bytes], byte_level: bool, blank: str) -> list[bytes]:
    """The bytes of each token; of an id that no token has, none."""
    found = [b""] * (max(words.values()) + 1)
    for word, token in words.items():
        if word in literal:
            found[token] = literal[word]
        elif byte_level:
            found[token] = b"".join(ALPHABET[sign] if sign in ALPHABET else utf8(sign) for sign in word)
        elif match := _BYTE.fullmatch(word):
            found[token] = bytes([int(match[1], 16)])
        else:
            found[token] = utf8(word.replace(blank, " "))
    return found


def _end_token(words: dict[str, int], special: list[int]) -> int:
    for name in _ENDS:
        if words.get(name) in special:
            return words[name]
    raise LabError(f"the tokenizer has no special token that ends a text, such as {', '.join(_ENDS[:3])}")


def _alphabet() -> dict[str, bytes]:
    """GPT-2's signs for the 256 bytes: a byte that prints stands for itself, and the others follow from 256 on."""
    printing = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [value for value in range(256) if value not in printing]
    signs = {chr(value): value for value in printing} | {chr(256 + n): value for n, value in enumerate(others)}
    return {sign: bytes([value]) for sign, value in signs.items()}


ALPHABET = _alphabet()
"""The sign that a byte-level tokenizer writes for each byte, to the byte."""
