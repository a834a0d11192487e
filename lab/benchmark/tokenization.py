"""The text of a corpus to GPT-2's token ids: as the lab does it, and by tiktoken's ``encode_ordinary`` in one call."""

from pathlib import Path
from typing import Any

import tiktoken

from lab.benchmark.child import Orders
from lab.config.corpus_schema import CorpusConfig
from lab.config.schema import Config
from lab.data import corpus
from lab.data.encoding import encode_documents
from lab.data.prepare import find_corpus
from lab.tokenizer import ENDOFTEXT, Tokenizer, vocabulary_files

_BYTES = 8_000_000
"""Of the text, repeated if it is shorter: several pieces for every core."""


def serve(config: Config, job: dict[str, Any], orders: Orders) -> None:
    """Encodes the whole text as often as it is told to."""
    text = _text(config.corpus)
    facts = {"bytes": len(text.encode())}
    if job["side"] == "lab":
        tokenizer = Tokenizer()

        def encode() -> int:
            return sum(len(ids) for ids in encode_documents([iter([text])], tokenizer))

        orders.serve(encode, tokens=encode(), **facts)
    else:
        theirs = _tiktoken()
        orders.serve(lambda: theirs.encode_ordinary(text), tokens=len(theirs.encode_ordinary(text)), **facts)


def _text(config: CorpusConfig) -> str:
    found = corpus.documents(find_corpus(config, Path.cwd()), config.document_separator)
    text = "".join(piece for document in found for piece in document)
    return (text * max(1, -(-_BYTES // max(1, len(text)))))[:_BYTES]


def _tiktoken() -> tiktoken.Encoding:
    """GPT-2's encoding as tiktoken defines it, from files that are here already."""
    from tiktoken.load import data_gym_to_mergeable_bpe_ranks
    from tiktoken_ext.openai_public import r50k_pat_str

    merges, vocabulary = vocabulary_files()
    ranks = data_gym_to_mergeable_bpe_ranks(str(merges), str(vocabulary))
    special = {ENDOFTEXT: len(ranks)}
    return tiktoken.Encoding(name="gpt2", pat_str=r50k_pat_str, mergeable_ranks=ranks, special_tokens=special)
