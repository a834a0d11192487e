"""The options of commands that are about a training to be: the words of ``lab.train``."""

from collections.abc import Sequence

from lab.config import compose, typed_overrides
from lab.config.schema import Config, check


def training_config(words: Sequence[str]) -> Config:
    """The configuration that ``lab.train`` would have with these words, for a command that does not train.

    Raises:
        LabError: naming the word at fault.
    """
    typed_overrides.refuse_senseless(words, trains=False)
    return check(compose.compose_config(list(words)))
