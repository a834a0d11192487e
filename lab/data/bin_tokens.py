"""Token files of other programs: ids one behind the other and nothing else, as nanoGPT's ``prepare.py`` writes them.

They are opened where they lie, as memory maps, and never copied, and read through once, for what has to be known.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from lab.config.corpus_schema import ID_FORMATS
from lab.data import stamps, token_counts
from lab.data.token_file import TokenFile, cache_folder
from lab.data.windows import open_tokens
from lab.errors import LabError
from lab.files.paths import typed_path
from lab.files.validation import parts, text, whole
from lab.tokenizers.contract import TextTokenizer, id_type

OTHER_VOCABULARY = "meta.pkl"
"""What nanoGPT lays beside its files where it has made a vocabulary of its own."""

_FACTS = parts(
    {
        "fingerprint": text(64),
        "checksum": whole(),
        "largest": whole(),
        "place": whole(),
        "n_documents": whole(1),
        "n_bytes": whole(),
    }
)


def open_file(path: str, dtype: str, start_folder: Path, tokenizer: TextTokenizer) -> TokenFile:
    """The token file at ``path``, made with ``tokenizer``.

    Raises:
        LabError: if it is not there, is empty or torn, or has ids that the tokenizer has not.
    """
    file = typed_path(path, start_folder).absolute()
    width = ID_FORMATS[dtype]
    try:
        size = file.stat().st_size
        if not file.is_file():
            raise LabError(f"{file} is no file: corpus=bin needs one with token ids, such as nanoGPT's train.bin")
        if size < 2 * width or size % width:
            raise LabError(
                f"{file} has {size:,} bytes, which are no two or more ids of {width} bytes ({dtype}): it is "
                "torn, or corpus.dtype= is another"
            )
        tokens = open_tokens(file, width=width)
        name = f"{file}\n{dtype}\n{tokenizer.fingerprint}".encode("utf-8", "surrogatepass")
        place = cache_folder() / f"bin-{hashlib.sha256(name).hexdigest()[:32]}.json"
        facts = stamps.once(place, [file], _FACTS, lambda: _look_through(tokens, tokenizer))
    except OSError as error:
        raise LabError(f"corpus=bin: {file} cannot be read ({error.strerror or error})") from error
    if facts["largest"] >= tokenizer.vocab_size:
        raise LabError(
            f"{file} has the id {facts['largest']:,} at place {facts['place']:,}, and tokenizer={tokenizer.name} has "
            f"{tokenizer.vocab_size:,} tokens: name the tokenizer that the file was made with, or its corpus.dtype="
        )
    return TokenFile(
        file,
        facts["fingerprint"],
        n_tokens=len(tokens),
        n_documents=facts["n_documents"],
        n_bytes=facts["n_bytes"],
        n_mentions=0,
        checksum=facts["checksum"],
        width=width,
    )


def note(file: Path) -> str | None:
    """What is to be said of a token file, if anything is."""
    if not (file.parent / OTHER_VOCABULARY).exists():
        return None
    return (
        f"{OTHER_VOCABULARY} lies beside {file.name}: nanoGPT writes it where the ids are of a vocabulary of its own, "
        "which the lab does not open; the tokens then mean something else than they seem to"
    )


def _look_through(tokens: np.ndarray, tokenizer: TextTokenizer) -> dict[str, Any]:
    """One pass over all ids, in blocks."""
    digest, lengths = hashlib.sha256(f"{tokenizer.fingerprint} ids ".encode()), tokenizer.byte_lengths()
    largest, place, begun = 0, 0, 0
    counts = np.zeros(tokenizer.vocab_size, dtype=np.int64)
    for block in token_counts.blocks(tokens):
        digest.update(block.astype(id_type(1 << 32)).data)  # the same ids are the same text, however wide they are
        if (found := int(block.max())) > largest:
            largest, place = found, begun + int(block.argmax())
        if largest < tokenizer.vocab_size:
            counts += np.bincount(block, minlength=tokenizer.vocab_size)
        begun += len(block)
    return {
        "fingerprint": digest.hexdigest(),
        "checksum": 0,
        "largest": largest,
        "place": place,
        # nanoGPT has an end of text behind each document, this lab between two of them.
        "n_documents": max(1, int(counts[tokenizer.endoftext]) + int(tokens[-1] != tokenizer.endoftext)),
        "n_bytes": max(0, int(counts @ lengths)),
    }
