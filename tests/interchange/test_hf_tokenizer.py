"""GPT-2's tokenizer as the files of Hugging Face's libraries."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import tiktoken
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import LabError
from lab.interchange import hf_tokenizer
from lab.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def their_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    hf_tokenizer.write(folder, 64)
    (folder / "config.json").write_text('{"model_type": "gpt2"}')
    return AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def tokenizer_file(their_tokenizer: Any) -> Any:
    """tokenizer.json by itself: transformers takes only the vocabulary from it, other programs all of it."""
    from tokenizers import Tokenizer as Tokenizers

    return Tokenizers.from_file(str(Path(their_tokenizer.name_or_path) / "tokenizer.json"))


PIECES = st.one_of(
    st.text(max_size=8),
    st.text(st.characters(codec="ascii"), max_size=8),
    st.text(" \t\n\r\v\f\x1c\x85\xa0\u2003\u2028\u3000\ufeff\u200b", max_size=6),
    st.sampled_from(["<|endoftext|>", "🦊👩‍👩‍👧🏽", "don't we'LL", "ﬁ", "é", "e\u0301", "日本語", "１２", "\x00"]),
)


@settings(max_examples=300, deadline=None)
@given(text=st.lists(PIECES, max_size=8).map("".join))
def test_token_ids_are_tiktokens(text: str, their_tokenizer: Any, tokenizer_file: Any) -> None:
    encoding = Tokenizer()._encoding
    assert isinstance(encoding, tiktoken.Encoding)
    assert their_tokenizer(text)["input_ids"] == encoding.encode(text, allowed_special="all")
    assert tokenizer_file.encode(text).ids == encoding.encode(text, allowed_special="all")
    assert their_tokenizer(text, split_special_tokens=True)["input_ids"] == Tokenizer().encode(text)
    assert their_tokenizer.decode(their_tokenizer(text)["input_ids"]) == text


def test_the_older_tokenizer_files_say_the_same(their_tokenizer: Any) -> None:
    from transformers import GPT2Tokenizer

    folder = Path(their_tokenizer.name_or_path)
    older = GPT2Tokenizer(vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"))
    text = "Über the fox's 12345 mills,\n\n  and 🦊!"
    assert older(text)["input_ids"] == Tokenizer().encode(text)
    assert their_tokenizer.eos_token_id == their_tokenizer.bos_token_id == Tokenizer().endoftext
    assert their_tokenizer.model_max_length == 64
    assert len(their_tokenizer) == 50257


def test_a_vocabulary_of_other_words_is_refused(tmp_path: Path, their_tokenizer: Any) -> None:
    hf_tokenizer.refuse_other(tmp_path, 50257)  # nothing known against it
    with pytest.raises(LabError, match="a vocabulary of 50,304 tokens"):
        hf_tokenizer.refuse_other(tmp_path, 50304)
    their_tokenizer.save_pretrained(tmp_path)
    hf_tokenizer.refuse_other(tmp_path, 50257)
    (tmp_path / "tokenizer.json").unlink()
    source = Path(their_tokenizer.name_or_path)
    shutil.copy(source / "vocab.json", tmp_path)
    hf_tokenizer.refuse_other(tmp_path, 50257)
    words = json.loads((source / "vocab.json").read_text())
    words["Ġthe"], words["Ġof"] = words["Ġof"], words["Ġthe"]
    (tmp_path / "vocab.json").write_text(json.dumps(words))
    with pytest.raises(LabError, match="a vocabulary of its own"):
        hf_tokenizer.refuse_other(tmp_path, 50257)
    (tmp_path / "tokenizer.json").write_text('{"model": 1}')
    with pytest.raises(LabError, match="a vocabulary of its own"):
        hf_tokenizer.refuse_other(tmp_path, 50257)
