"""What Hydra and OmegaConf have against an option, in one sentence."""

import difflib
import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hydra.errors import HydraException, OverrideParseException
from omegaconf.errors import OmegaConfBaseException

from lab.config import classic_flags
from lab.config.choices import group_choices, group_names
from lab.config.groups import option_names
from lab.config.quoting import quoted
from lab.errors import LabError, shown


@contextmanager
def explained(overrides: Sequence[str]) -> Iterator[None]:
    """Turns Hydra's and OmegaConf's exceptions into a ``LabError`` of one sentence."""
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise LabError(explain(error, overrides)) from error


def explain(error: Exception, overrides: Sequence[str]) -> str:
    """What ``error`` means for somebody who typed ``overrides``: which option is wrong, and the nearest right one."""
    # Hydra wraps OmegaConf's exception, and the inner one knows the option.
    chain: list[BaseException] = [error]
    while (inner := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(inner)
    text = "\n".join(str(link) for link in chain)

    if found := re.search(r"Could not override '([^']+)'", text) or re.search(r"Key '([^']+)' not in ", text):
        key = found.group(1)
        for link in chain:
            key = getattr(link, "full_key", None) or key
        if not re.search(
            r"Value .* (could not be converted|is not a valid)|Invalid value|Cannot (assign|convert)", text
        ):
            return _unknown(key, overrides)
    if found := re.search(
        r"Could not (?:find|load) '(hydra/\w+|\w+)/([^']*)'(?:\s*Available options in '.*':((?:\n\t.+)+))?", text
    ):
        group, choice, listed = found.groups()
        known = group_choices(group) if group in group_names() else (listed or "").split()
        own = "; a text of your own is corpus=text corpus.path=FILE" if group == "corpus" else ""
        near = _nearest(choice, known) if re.fullmatch(r"\w*", choice) else ""
        return f"{group}={shown(choice)} is unknown: choose one of {', '.join(known)}{near or own}"
    if found := re.search(r"Could not append to config. An item is already at '(.*)'", text):
        return f"the option {found.group(1)} is there already: leave out the + in front of it"
    if found := re.search(r"Ambiguous value for argument '(.*)'", text):
        return (
            f"{shown(found.group(1))} has several values: with -m, each is a run of its own; [A,B] is one list, and a "
            "decimal number has a point, not a comma"
        )
    key = next((str(k) for link in chain if (k := getattr(link, "full_key", None))), "")
    if found := re.search(r"Value '(.*)' of type '\w+' could not be converted to (\w+)", text, re.DOTALL):
        kinds = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false"}
        return f"{key}={found.group(1)} does not fit: it must be {kinds.get(found.group(2), found.group(2))}"
    if found := re.search(r"Value '(.*)' of type '\w+' is incompatible with type hint .*Union", text):
        return f"{key}={found.group(1)} does not fit: it must be a whole number, or auto"
    if re.search(r"is not a ListConfig, list or tuple", text):
        return f"{_typed(key, overrides)} does not fit: it must be a list, such as {key}=[0.9,0.95]"
    if re.search(r"is not a subclass of|Invalid type assigned|is not a dict", text):
        return f"{_typed(key, overrides)} does not fit: {key} is a group of options, such as {_one_of(key)}="
    if found := re.search(r"field '.*' is not Optional", text):
        return f"{_typed(key, overrides)} does not fit: {key} needs a value; leave it out for its default"
    if found := re.search(r"Value '(.*)' is not a valid bool", text):
        return f"{key}={found.group(1)} does not fit: it must be true or false"
    if found := re.search(r"Invalid value '(.*)', expected one of \[(.*)\]", text):
        return f"{key}={found.group(1)} does not fit: choose one of {found.group(2)}"
    if isinstance(error, OverrideParseException):
        typed = shown(str(error.override))
        return f"'{typed}' cannot be read: {_as_text(str(error.override))}"
    return " ".join(text.splitlines()[0].split())


def _unknown(key: str, overrides: Sequence[str]) -> str:
    typed = _typed(key, overrides)
    if key in option_names():
        group = key.split(".")[0]
        return f"there is no option {key} with the {group} that is chosen here (in '{typed}')"
    if known := classic_flags.option(key):
        return f"there is no option {key} (in '{typed}'); did you mean {known}?"
    return f"there is no option {shown(key)} (in '{typed}'){_nearest(key, option_names()) or '; --help lists them all'}"


def nearest(word: str, known: Sequence[str]) -> str | None:
    """What somebody who typed ``word`` may have meant."""
    word = word.lower()
    whole = {name.lower(): name for name in known}
    last = {name.rpartition(".")[2]: name for name in reversed(known)}
    own = word.rpartition(".")[2]
    # What is nearly a whole name comes first, then the right option under the wrong group (`lr` for `optimizer.lr`),
    # a part of one (`steps`), and what is a little like one.
    near = [whole[name] for name in difflib.get_close_matches(word, whole, n=1, cutoff=0.75)]
    near += [last[own]] if own in last else []
    # The length of the run is meant more often than a detail of one optimizer.
    by_length = sorted(last, key=lambda name: (last[name].startswith("optimizer."), len(name)))
    near += [last[name] for name in by_length if len(own) > 3 and own in name]
    near += [last[name] for name in difflib.get_close_matches(own, last, n=1, cutoff=0.6)]
    near += [whole[name] for name in difflib.get_close_matches(word, whole, n=1, cutoff=0.6)]
    return near[0] if near else None


def _nearest(word: str, known: Sequence[str]) -> str:
    near = nearest(word, known)
    return f"; did you mean {near}?" if near else ""


def _as_text(override: str) -> str:
    """How to type a value in which Hydra sees more than a text."""
    option, equals, value = override.partition("=")
    if not equals or not re.fullmatch(r"[\w.+/@]+", option):
        return "write option=value"
    word = quoted(option, value)
    if not word.isprintable() or len(word) > 80:
        word = f"{option}='TEXT'"
    # In double quotes it is easier to read, if the shell finds nothing to do in them.
    typed = f'"{word}"' if not set(word) & set('"$`\\!') else shlex.quote(word)
    return f"if it is meant as a text, quote it for Hydra and for the shell, as {typed}"


def _typed(key: str, overrides: Sequence[str]) -> str:
    """The word that gave ``key`` its value, as it was typed; of several the last one, which counts."""
    return shown(next((o for o in reversed(overrides) if o.lstrip("+~").split("=")[0] == key), key))


def _one_of(group: str) -> str:
    return next((name for name in option_names() if name.startswith(f"{group}.")), group)
