"""Tokenizers as the files that Hugging Face's libraries open; and whether a folder's tokenizer is GPT-2's."""

import json
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.files import atomic, strict_json
from lab.interchange.huggingface import read_json
from lab.tokenizer import ENDOFTEXT, Tokenizer, vocabulary_files
from lab.tokenizers import hf
from lab.tokenizers.bytes import N_BYTES
from lab.tokenizers.contract import TextTokenizer

_ROUND = 64
"""What vocabularies are rounded up to, or to a multiple of."""
_MOST_PADDING = 1024


def write(folder: Path, context_length: int, tokenizer: TextTokenizer | None = None) -> None:
    """Writes ``tokenizer`` (GPT-2's, unless there is another) so that AutoTokenizer gives the same ids.

    Raises:
        LabError: if GPT-2's vocabulary files are asked for and not installed.
    """
    if tokenizer is None or tokenizer.name == Tokenizer.name:
        _write_gpt2(folder, context_length)
        return
    content = _content(tokenizer)
    atomic.write_text(folder / hf.FILE, content)
    words = {token["id"]: token["content"] for token in json.loads(content)["added_tokens"]}
    end = words[tokenizer.endoftext]
    special = {"bos_token": end, "eos_token": end}
    atomic.write_json(folder / "special_tokens_map.json", special)
    atomic.write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "clean_up_tokenization_spaces": False,
            "model_max_length": context_length,
            **special,
        },
    )


def _content(tokenizer: TextTokenizer) -> str:
    """``tokenizer.json`` of a tokenizer that is not GPT-2's."""
    described = tokenizer.definition
    assert isinstance(described, dict)
    if "tokenizer_json" in described:
        return str(described["tokenizer_json"])
    if tokenizer.name == "bytes":
        signs = {sign: data[0] for sign, data in hf.ALPHABET.items()}
        return strict_json.dumps(_tokenizer(signs | {ENDOFTEXT: tokenizer.endoftext}, []))
    fallback = {f"<0x{value:02X}>": value for value in range(N_BYTES)}
    letters = {letter: N_BYTES + place for place, letter in enumerate(described["characters"])}
    found = _tokenizer(fallback | letters | {ENDOFTEXT: tokenizer.endoftext}, [])
    found["model"]["byte_fallback"] = True
    steps = [{"type": "ByteFallback"}, {"type": "Fuse"}]
    return strict_json.dumps(found | {"pre_tokenizer": None, "decoder": {"type": "Sequence", "decoders": steps}})


def _write_gpt2(folder: Path, context_length: int) -> None:
    """Writes the vocabulary in three layouts: ``tokenizer.json`` for today's libraries, ``vocab.json`` and
    ``merges.txt`` for older and other ones.

    Their convention: ``<|endoftext|>`` written out in a text becomes the one special token, as with tiktoken's
    ``allowed_special="all"``. ``split_special_tokens=True`` makes it thirteen characters, as in the lab.

    Raises:
        LabError: if the vocabulary files are not installed.
    """
    merges_file, vocabulary_file = vocabulary_files()
    merges = merges_file.read_text(encoding="utf-8")
    vocabulary = json.loads(vocabulary_file.read_text(encoding="utf-8"))
    atomic.write_text(folder / "merges.txt", merges)
    atomic.write_text(folder / "vocab.json", strict_json.dumps(vocabulary))
    tokenizer = _tokenizer(vocabulary, merges.strip("\n").split("\n")[1:])
    atomic.write_text(folder / "tokenizer.json", strict_json.dumps(tokenizer))
    special = {"bos_token": ENDOFTEXT, "eos_token": ENDOFTEXT, "unk_token": ENDOFTEXT}
    atomic.write_json(folder / "special_tokens_map.json", special)
    atomic.write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "GPT2Tokenizer",
            "add_prefix_space": False,
            "clean_up_tokenization_spaces": False,  # else decoding would lose blanks before commas
            "errors": "replace",
            "model_max_length": context_length,
            **special,
        },
    )


def _tokenizer(vocabulary: dict[str, int], merges: list[str]) -> dict[str, Any]:
    """The content of ``tokenizer.json``."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    endoftext = {"id": vocabulary[ENDOFTEXT], "content": ENDOFTEXT, "special": True, "normalized": False}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [endoftext | {"single_word": False, "lstrip": False, "rstrip": False}],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": vocabulary,
            "merges": merges,
        },
    }


def without_padding(folder: Path | None, n_rows: int) -> int:
    """How many rows of an embedding belong to tokens. Many models have more, up to a number that suits a GPU: GPT-2's
    vocabulary becomes 50,304. ``folder`` is a Hugging Face folder; None for weights that came without one.

    ``n_rows`` itself where a row above GPT-2's vocabulary has a token, or where nothing says that it hasn't.
    """
    known = Tokenizer().vocab_size
    if n_rows <= known:
        return n_rows
    theirs, added = _vocabulary(folder) if folder else (None, {})
    if theirs is None and not added:
        return known if n_rows % _ROUND == 0 and n_rows - known < _MOST_PADDING else n_rows
    above = [token for token in [*(theirs or {}).values(), *added.values()] if token not in range(known)]
    return n_rows if any(token in range(n_rows) for token in above) else known


def _vocabulary(folder: Path) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """What a folder's tokenizer knows, by its text, and what was added to that; None if there is no tokenizer."""
    if (folder / "tokenizer.json").is_file():
        found = read_json(folder / "tokenizer.json")
        model, added = found.get("model"), found.get("added_tokens")
        words = model.get("vocab") if isinstance(model, dict) else None
        listed = [token for token in added if isinstance(token, dict)] if isinstance(added, list) else []
        return words if isinstance(words, dict) else {}, {str(t.get("content")): t.get("id") for t in listed}
    added = read_json(folder / "added_tokens.json") if (folder / "added_tokens.json").is_file() else {}
    return read_json(folder / "vocab.json") if (folder / "vocab.json").is_file() else None, added


def own(folder: Path) -> hf.JsonTokenizer | None:
    """The tokenizer in a Hugging Face folder; None if it is GPT-2's, or the folder has none that could be opened.

    Raises:
        LabError: if there is one, and it is damaged or of a kind that the lab does not take.
    """
    theirs, _ = _vocabulary(folder)
    if theirs is None or _is_gpt2(theirs) or not (folder / hf.FILE).is_file():
        return None
    return hf.open_path(folder)


def _is_gpt2(theirs: dict[str, Any]) -> bool:
    ours = json.loads(vocabulary_files()[1].read_text(encoding="utf-8"))
    return bool({ENDOFTEXT: ours[ENDOFTEXT], **theirs} == ours)  # some list it apart


def refuse_other_size(path: Path, vocab_size: int) -> None:
    """Makes sure that a model has a row for each token id that our tokenizer gives, and no more.

    Raises:
        LabError: if not.
    """
    known = Tokenizer().vocab_size
    if vocab_size != known:
        raise LabError(
            f"{path} has a vocabulary of {vocab_size:,} tokens: the lab knows GPT-2's, which has {known:,}, "
            "and its words would not be this model's"
        )


def refuse_other(folder: Path, vocab_size: int) -> None:
    """Makes sure that a model from elsewhere was trained on the token ids that our tokenizer gives.

    Raises:
        LabError: if its vocabulary has another size or other tokens, as far as the folder tells.
    """
    refuse_other_size(folder, vocab_size)
    theirs, _ = _vocabulary(folder)
    if theirs is not None and not _is_gpt2(theirs):
        raise LabError(f"{folder} has a vocabulary of its own: the lab knows GPT-2's, whose words are not this model's")
