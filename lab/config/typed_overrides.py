"""What was typed for a training, looked through before Hydra sees it: what its grammar allows and nobody can mean."""

import re
from collections.abc import Sequence
from itertools import zip_longest

from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from lab.config import classic_flags, explain, quoting
from lab.config.choices import group_choices, group_names
from lab.config.groups import option_names
from lab.errors import LabError, shown

SEVERAL = ("callbacks", "logger")
"""The groups of which a run may have several choices, or none."""
_NO_CHOICE = re.compile(r"[-+]?[\d.]+(e[-+]?\d+)?|null|true|false|\{.*\}", re.IGNORECASE | re.DOTALL)
_PLACES = ("hydra.run.dir", "hydra.sweep.dir", "init_from", "resume")
SWEEPS = {"-m", "--multirun"}
"""The flags that make a sweep."""


def refuse_senseless(words: Sequence[str], trains: bool = True) -> None:
    """Refuses a command line that Hydra would answer with its usage or a traceback, or obey to the letter.

    Args:
        words: as they were typed.
        trains: the command knows Hydra's own flags; the others that take these options know none.

    Raises:
        LabError: naming the word at fault and what to type instead.
    """
    options, _ = split_flags(words, trains)
    for word in options:
        _refuse(word)
    if not trains:
        return
    names = {word.partition("=")[0].lstrip("+") for word in options}
    # Who says where a sweep goes means one, if only over a single value.
    if SWEEPS & set(words) and "hydra.sweep.dir" not in names and not _sweeps(options):
        raise LabError(
            "-m makes a sweep, and no option here has several values: write OPTION=A,B with it, or leave out -m"
        )
    if "resume=auto" in options and not names & {"hydra.run.dir", "hydra.sweep.dir"}:
        raise LabError("resume=auto continues the run in hydra.run.dir=FOLDER: give that, too, or resume=last")


def split_flags(words: Sequence[str], trains: bool = True) -> tuple[list[str], list[str]]:
    """The options among ``words``, and Hydra's own flags with their values, as far as the command knows them.

    Raises:
        LabError: for a flag that is none of Hydra's, or one with a wrong value.
    """
    parser = get_args_parser()
    known = set(parser._option_string_actions) if trains else set()
    for word, after in zip_longest(words, words[1:], fillvalue=""):
        if word.startswith("-") and word.partition("=")[0] not in known:
            raise LabError(_no_flag(word, after))

    def error(message: str) -> None:
        raise LabError(f"{message.removeprefix('argument ')}: --hydra-help explains Hydra's own flags")

    parser.error = error  # type: ignore[method-assign, assignment]
    # --version would print and end right here.
    parsed = parser.parse_intermixed_args([word for word in words if word != "--version"])
    options = list(parsed.overrides)
    if parsed.experimental_rerun:
        raise LabError("--experimental-rerun is not for this program: resume=RUN_FOLDER goes on with a run")
    if parsed.shell_completion and not re.match(r"(install|uninstall|query)=", "".join(options)):
        raise LabError("--shell-completion needs install=bash, or another shell of yours")
    left = list(options)
    flags = []
    for word in words:  # neither kind changes its order
        if left and word == left[0]:
            left.pop(0)
        else:
            flags.append(word)
    return options, flags


def _no_flag(word: str, after: str) -> str:
    flag, equals, value = word.partition("=")
    name = classic_flags.option(flag) or explain.nearest(flag.strip("-").replace("-", "_"), option_names())
    if not flag.strip("-") or not name:
        return f"'{shown(word)}' is no option: write option=value, for example model=small; --help lists them all"
    if not equals:
        follows = after and "=" not in after and not after.startswith("-")
        value = after if follows else "true" if name in ("save", "trainer.compile") else "VALUE"
    return f"there is no flag {shown(flag)}: write {name}={shown(value)}; --help lists all options"


def _refuse(word: str) -> None:
    name, equals, value = word.partition("=")
    if name.startswith("~"):
        group = name.lstrip("~")
        instead = f"write {group}=none" if group in SEVERAL else "leave it out, and it has its default"
        if not re.match(rf"~({'|'.join(SEVERAL)})\.", name):
            raise LabError(f"{shown(word)} would take an option away that every run needs: {instead}")
        return
    key = name.lstrip("+")
    if not re.fullmatch(r"[A-Za-z_][\w/@-]*(\.[\w@-]+)*", key):
        raise LabError(f"'{shown(word)}' is no option: write option=value, for example model=small")
    if not equals:
        near = explain.nearest(key, option_names()) or "model"
        example = "model=small" if near == "model" else f"{near}=VALUE"
        raise LabError(f"'{shown(word)}' is no option: write option=value, for example {example}")
    if key == "hydra":
        raise LabError(f"{shown(word)}: hydra is no option; its own are hydra.run.dir= and others, see --hydra-help")
    if key in _PLACES and not value.strip("'\" "):
        raise LabError(f"{key}= is empty: say where, or leave it out")
    if key in group_names():
        _refuse_choice(key, value)


def _refuse_choice(group: str, value: str) -> None:
    if group in ("experiment", "sweep") and value == "null":
        return  # none, which is the default
    known = ", ".join(group_choices(group))
    if value == "" or _NO_CHOICE.fullmatch(value):
        raise LabError(f"{group}={shown(value)} is no choice: choose one of {known}")
    if value.startswith("[") and group not in SEVERAL:
        raise LabError(f"{group}={shown(value)}: a run has one {group}; choose one of {known}")


def _sweeps(options: Sequence[str]) -> bool:
    """Does one of the options have several values, or choose who sweeps, over what, or who runs the jobs?"""
    if any(
        word.lstrip("+").startswith(("sweep=", "hydra.sweeper.", "hydra/sweeper", "hydra/launcher")) for word in options
    ):
        return True
    try:
        found = OverridesParser.create().parse_overrides(quoting.quote_literals(options))
    except HydraException:
        return True  # said by Hydra, by name
    return any(override.is_sweep_override() for override in found)
