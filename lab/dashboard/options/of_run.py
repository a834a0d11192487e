"""The options of a run that is there, as somebody would give them to this server to have the same run once more.

What a run folder says may have been downloaded. It gets no further than what comes over the network: each option found
here goes through ``overrides.words`` before anything is started with it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lab.config import quoting
from lab.config.changed_options import flat
from lab.config.choices import defaults, group_names
from lab.dashboard.http_errors import ApiError
from lab.dashboard.options import overrides
from lab.dashboard.options.composition import composed
from lab.dashboard.schemas import Value
from lab.dashboard.settings import Settings
from lab.training.inherited_options import inherit


def changed(config: Mapping[str, Any], words: object, earlier: Mapping[str, Any] | None = None) -> dict[str, Value]:
    """The options that make a run with ``config`` out of the defaults; or out of a run with the options ``earlier``.

    Args:
        config: of the run; empty if it has not come so far as to write it. Then what it was started with counts.
        words: what it was started with, as its folder says.
        earlier: the options of the run whose checkpoint it goes on from.

    Raises:
        ApiError: if that cannot be given here.
    """
    wanted = _taken(config) if config else _typed(words)
    groups = _groups(wanted)
    now = flat(composed(wanted).config)
    before = flat(composed(_taken(earlier) if earlier else _as_words(groups)).config)
    chosen = _groups(_taken(earlier)) if earlier else defaults()
    named = {word.partition("=")[0] for word in wanted} & now.keys()
    found: dict[str, Value] = {name: value for name, value in groups.items() if chosen.get(name) != value}
    return found | {name: now[name] for name in sorted(named) if now[name] != before.get(name)}


def checked_words(config: Mapping[str, Any], settings: Settings) -> list[str]:
    """All options of a run, in Hydra's grammar, for another command that is to have the same.

    Raises:
        ApiError: if one of them is given on a command line only, or they do not fit together.
    """
    words = _taken(config)
    overrides.check_inherited(words, {}, settings)
    return words


def _taken(config: Mapping[str, Any]) -> list[str]:
    """In Hydra's grammar. Only a command line may say again what is left out here."""
    words, left_out = inherit(config, {})
    if left_out:
        raise ApiError(422, f"the run has {left_out[0]}, which is given on a command line only")
    overrides.check_words(words)
    return words


def _typed(words: object) -> list[str]:
    """As ``_taken``, of a run that has left nothing but the words that it was started with."""
    given = [str(word) for word in words] if isinstance(words, list) else []
    kept = [word for word in given if "=" in word and not word.startswith(("hydra.", "resume="))]
    if any("${" in word for word in kept):
        raise ApiError(422, "the run was started with an option that refers to another one: type it again")
    quoted = quoting.quote_literals(kept)
    overrides.check_words(quoted)
    return quoted


def _groups(words: Sequence[str]) -> dict[str, str]:
    pairs = (word.partition("=") for word in words)
    found = {name: text for name, _, text in pairs if name in group_names()}
    for name, text in found.items():
        if text.startswith("["):
            raise ApiError(422, f"the run has {name}={text}, and several are given on a command line only", name)
    return found


def _as_words(groups: Mapping[str, str]) -> list[str]:
    return [f"{name}={choice}" for name, choice in groups.items()]
