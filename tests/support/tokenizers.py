"""Tokenizers to try things on: learnt from the fables, and made up in the manner of others."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from support.commands import ROOT

from lab.tokenizers import bpe, chars
from lab.tokenizers.chars import CharTokenizer
from lab.tokenizers.hf import JsonTokenizer

FABLES = "".join(file.read_text() for file in sorted((ROOT / "corpora" / "fables").glob("*.txt")))


@cache
def byte_pairs(vocab_size: int = 500) -> JsonTokenizer:
    return bpe.learn([FABLES], vocab_size)


@cache
def characters() -> CharTokenizer:
    return chars.learn([FABLES])


def sentencepiece_like(words: int = 0) -> dict[str, Any]:
    """A tokenizer.json in the manner of Llama 2: ``▁`` for the blank, one put in front, bytes for what is unknown."""
    signs = ["<unk>", "<s>", "</s>", *(f"<0x{value:02X}>" for value in range(256))]
    pairs = [("▁", "t"), ("▁t", "h"), ("▁th", "e"), ("▁", "f"), ("▁f", "o"), ("▁fo", "x"), ("▁", "▁")]
    letters = ["▁", *"tehfoxé猫", *(one + other for one, other in pairs)]
    vocabulary = {word: number for number, word in enumerate([*signs, *letters, *(f"w{i}q" for i in range(words))])}
    added = [{"id": i, "content": signs[i], "special": True, "normalized": False} for i in range(3)]
    more = {"single_word": False, "lstrip": False, "rstrip": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [token | more for token in added],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Prepend", "prepend": "▁"},
                {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
            ],
        },
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
                {"type": "Strip", "content": " ", "start": 1, "stop": 0},
            ],
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "<unk>",
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": True,
            "vocab": vocabulary,
            "merges": [f"{one} {other}" for one, other in pairs],
        },
    }


def wide(words: int = 70_000) -> dict[str, Any]:
    """A byte-level tokenizer.json with more tokens than two bytes can number; the text uses the last ones."""
    found: dict[str, Any] = json.loads(byte_pairs(300).content)
    vocabulary = found["model"]["vocab"]
    pairs = [pair if isinstance(pair, list) else pair.split(" ") for pair in found["model"]["merges"]]
    # The ids of the merges go to the far end of the vocabulary; in between are words that no merge makes.
    far = {a + b: words + number for number, (a, b) in enumerate(pairs)}
    filler = {f"filler{i}": i for i in range(256, words)}
    letters = {word: number for word, number in vocabulary.items() if word not in far and number < 256}
    found["model"]["vocab"] = letters | filler | far
    found["added_tokens"][0]["id"] = words + len(pairs)
    return found


def write_json(path: Path, value: dict[str, Any]) -> Path:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path
