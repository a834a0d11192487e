"""Options typed as they are meant: paths and texts, past Hydra's grammar."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from hydra.core.utils import setup_globals
from omegaconf import OmegaConf

from lab.config.choices import group_choices, group_names
from lab.config.groups import option_names, shipped
from lab.errors import LabError
from lab.files import user_code
from lab.files.paths import typed_path

LITERAL_OPTIONS = (
    *("corpus.column", "corpus.dataset", "corpus.document_separator", "corpus.path", "corpus.val_path"),
    *("init_from", "name", "notes", "resume", "sample.prompt", "tokenizer.path"),
)
"""Options whose value is a path or a text: taken as typed, whatever is in it."""
_NEVER_NULL = ("sample.prompt", "corpus.column", "name", "notes")
"""Of these, the ones that always have a value: there, null is the word."""

CODE_OPTIONS = re.compile(
    r"model\.(norm|feed_forward|position|attention|block)|optimizer\._target_|schedule\.name|corpus\.source"
    r"|metrics\.\w+(\._target_)?|callbacks\.\w+\._target_"
)
"""Options that may name something in a Python file of the user's own, ``FILE.py:NAME``."""


_HYDRAS_FOLDERS = ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir")


_SAVE_DIR = re.compile(r"logger\.\w+\.save_dir")


def quote_literals(arguments: Sequence[str]) -> list[str]:
    """The arguments with paths and texts quoted for Hydra's override grammar: the values of ``LITERAL_OPTIONS``, and
    the folders that Hydra or a logger makes.

    ``corpus.path=My notes (1), final.txt`` would otherwise be a syntax error, ``resume=123`` a number, and a comma the
    start of a sweep. ``null`` stays what it means, where it means something.

    Raises:
        LabError: if a folder has no name.
    """
    return [_quote(_with_place(argument, arguments)) for argument in arguments]


def _with_place(argument: str, arguments: Sequence[str]) -> str:
    """``+optimizer.NAME=VALUE``, an option that only the class knows, has its place under ``optimizer.options``."""
    option, equals, value = argument.partition("=")
    if not equals or not option.startswith("+optimizer.") or option.startswith(("+optimizer.options.", "+optimizer._")):
        return argument
    name = option.removeprefix("+optimizer.")
    chosen = [word.partition("=")[2] for word in arguments if word.startswith("optimizer=")] or ["adamw"]
    known = any(choice in group_choices("optimizer") and name in shipped("optimizer", choice) for choice in chosen)
    return argument if known else f"+optimizer.options.{name}={value}"


def _quote(argument: str) -> str:
    option, equals, value = argument.partition("=")
    name = option.lstrip("+")
    if not equals or (value == "null" and name not in (*_HYDRAS_FOLDERS, *_NEVER_NULL)):
        return argument
    if name in LITERAL_OPTIONS:
        return quoted(option, value)
    if name == "corpus.parts" and value.startswith("[") and not set(value) & {"'", '"'}:
        return f"{option}={_quoted_parts(value)}"
    if name == "tags" and value and not set(value) & {"'", '"'}:
        words = value[1:-1] if value.startswith("[") and value.endswith("]") else value
        return f"{option}=[{','.join(quoted('', word.strip())[1:] for word in words.split(',') if word.strip())}]"
    if name == "parts" and value and not value.startswith(("[", "'", '"')):
        return f"{option}=[{quoted('', value)[1:]}]"  # a single file
    if CODE_OPTIONS.fullmatch(name) and user_code.is_reference(value) and not re.search("[,'\"]", value):
        return quoted(option, value)
    if name in _HYDRAS_FOLDERS or _SAVE_DIR.fullmatch(name):
        return _quoted_folder(option, value)
    return argument


def _quoted_parts(value: str) -> str:
    """``[fables,~/notes,{path:~/texts,seed:7}]`` with its paths quoted."""

    def word(text: str) -> str:
        return text if re.fullmatch(r"[\w.+-]+", text) else quoted("", text)[1:]

    def part(found: re.Match[str]) -> str:
        text = found[0].strip()
        if not text.startswith("{"):
            return word(text) if text else ""
        options = (option.partition(":") for option in text[1:-1].split(","))
        return "{" + ",".join(f"{name.strip()}:{word(value.strip())}" for name, _, value in options) + "}"

    return f"[{re.sub(r'{[^{}]*}|[^,{}]+', part, value[1:-1])}]"


def _quoted_folder(option: str, value: str) -> str:
    """As ``quoted``, for a folder that is opened by somebody who knows no ``~``. Hydra's own interpolations, such as
    ``${now:%Y-%m-%d}`` or ``${optimizer.lr}``, still are what they are."""
    if not value:
        raise LabError(f"{option}= is empty: give a folder")
    for found in _INTERPOLATION.finditer(value):
        if found[1] or not _is_hydras(found):
            raise LabError(
                f"{option}={value}: Hydra makes no folder with ${{ in its name, and '{found[0]}' begins none of its "
                "interpolations: choose another name"
            )
    first = _INTERPOLATION.match(value)
    if not option.endswith("subdir") and not (first and _is_hydras(first)):
        # A logger looks for its folder from where the run stands, which hydra.job.chdir=true moves.
        value = str(typed_path(value, Path.cwd() if option.endswith("save_dir") else Path()))
    if value == "???":  # OmegaConf's sign for a value that is missing
        value = "./???"
    return quoted(option, value, _is_hydras)


_INTERPOLATION = re.compile(r"(\\*)(\$\{(?:([\w.]+)(:|\}))?)")


def _is_hydras(found: re.Match[str]) -> bool:
    """Is this the beginning of ``${option}``, or of ``${function:...}`` with a function of Hydra's or of our own?"""
    setup_globals()  # Hydra's are registered only when it starts
    _, _, name, end = found.groups()
    return OmegaConf.has_resolver(name) if end == ":" else name in option_names() and name not in group_names()


def quoted(option: str, value: str, keep: Callable[[re.Match[str]], bool] = lambda _: False) -> str:
    """``option='value'`` in Hydra's override grammar, so that exactly ``value`` arrives; but for interpolations to
    ``keep``."""
    # Within quotes, Hydra's grammar knows an escaped quote, and backslashes count only in front of one (or of the
    # closing one); OmegaConf afterwards takes ${...} for an interpolation unless a backslash stands before it.
    value = _INTERPOLATION.sub(lambda found: found[0] if keep(found) else found[1] * 2 + "\\" + found[2], value)
    value = re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + (r"\'" if found[2] else ""), value)
    return f"{option}='{value}'"
