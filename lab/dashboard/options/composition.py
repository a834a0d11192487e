"""Options put together by Hydra, which takes a good part of a second: each set of words once."""

import copy
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from omegaconf import DictConfig, OmegaConf, open_dict

from lab.config import compose
from lab.config.choices import group_names
from lab.config.schema import Config, check

composing = threading.RLock()
"""Hydra keeps its state in the process: one composition at a time."""


@dataclass(frozen=True)
class Composed:
    """The options of a run."""

    config: Config
    choices: dict[str, str | None]
    """Which file of each group is chosen, by whomever: the defaults, an experiment, or the words."""


def composed(words: Sequence[str]) -> Composed:
    """What ``words`` come to, which are Hydra's grammar already. The answer is the caller's own, to change as it likes.

    Raises:
        LabError: naming the first option that does not fit.
    """
    return copy.deepcopy(_composed(tuple(words)))


@lru_cache(256)
def _composed(words: tuple[str, ...]) -> Composed:
    with composing:
        whole = compose.compose_quoted(words, with_hydra=True)
        chosen = whole.hydra.runtime.choices
        choices = {group: _plain(chosen.get(group)) for group in group_names()}
        with open_dict(whole):
            del whole["hydra"]
        return Composed(check(whole), choices)


def _plain(choice: object) -> str | None:
    if OmegaConf.is_list(choice):  # of loggers and callbacks there may be several
        return ",".join(map(str, choice))  # type: ignore[call-overload]
    return None if choice in (None, "null") or isinstance(choice, DictConfig) else str(choice)
