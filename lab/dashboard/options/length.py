"""How long a run would be: counted from its text, as far as that is here."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lab.config.corpora import parts_of
from lab.config.corpus_schema import CorpusSource
from lab.config.plan import Plan, make_plan, refuse_senseless
from lab.config.schema import Config, TokenizerName
from lab.dashboard.options import corpora
from lab.data.prepare import make_tokenizer, read_corpus, split
from lab.data.windows import Windows

_TOKENS_OF_GPT2 = {"bytes": 4.0, "chars": 4.0}
"""How many tokens of another tokenizer one of GPT-2's is about, where a text is too long to be counted."""


@dataclass(frozen=True)
class Planned:
    """A run that could be made."""

    plan: Plan
    n_tokens: int
    """Of the text."""
    exact: bool
    """Were they counted (True) or estimated?"""
    n_train_tokens: int
    n_val_tokens: int


def planned(config: Config, root: Path) -> Planned | None:
    """The plan of a run with these options; None if its text is not here yet, or is read only by the run itself.

    Raises:
        LabError: if the text is too short for it, or its options make no sense with that length.
    """
    is_mix = config.corpus.source == CorpusSource.mix
    texts = list(parts_of(config.corpus).values()) if is_mix else [config.corpus]
    n_tokens = n_windows = n_train_tokens = n_val_tokens = 0
    exact = True
    for text in texts:
        size = corpora.size(text, root)
        if size is None:
            return None
        exact = exact and size[1] and not (is_mix and config.tokenizer.name is TokenizerName.bpe)
        length, border = size[0], None
        if config.tokenizer.name is not TokenizerName.gpt2:
            length, border = _in_other_tokens(replace(config, corpus=text), root, length, exact)
        # Only lengths matter here: an array that is one and the same zero all along takes no memory.
        tokens = np.broadcast_to(np.uint16(0), (length,))
        train, val = split(tokens, config.data, config.model.context_length, border)
        n_windows += len(Windows(train, config.model.context_length, config.data.stride))
        n_tokens, n_train_tokens = n_tokens + length, n_train_tokens + len(train)
        n_val_tokens += len(val)
    plan = make_plan(config, n_windows)
    refuse_senseless(config, plan)
    return Planned(plan, n_tokens, exact, n_train_tokens, n_val_tokens)


def _in_other_tokens(config: Config, root: Path, n_tokens: int, exact: bool) -> tuple[int, int | None]:
    """The length of a text under a tokenizer that is not GPT-2's, and how much of it trains, if that is known."""
    if not exact:
        return round(n_tokens * _TOKENS_OF_GPT2.get(config.tokenizer.name.name, 1.0)), None
    tokenizer = make_tokenizer(config.tokenizer, config.corpus, config.data, root)
    read = read_corpus(config.corpus, root, tokenizer)
    return read.tokens.n_tokens, read.border(config.data)
