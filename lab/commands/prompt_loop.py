"""``lab.generate interactive=true``: one prompt after the other, and settings that change in between."""

import contextlib
import sys
from dataclasses import replace
from typing import Any

from lab.commands.generation import LIMITS, Generator, Options, check, print_generation
from lab.commands.options import parse
from lab.errors import LabError

_SETTINGS = ("temperature", "top_k", "top_p", "max_tokens", "seed", "num_samples", "stop", "all_tokens")

_HELP = f"""\
Type how a text begins; the model continues it. An empty line continues the last text.
  /temperature 0.5    changes a setting: {", ".join(_SETTINGS)}
  /stop               without a text: no stop any more
  /settings           shows them
  /quit               ends (as do Ctrl-D and Ctrl-C); Ctrl-C while a text is being written ends that text only"""


def run(generator: Generator, options: Options) -> None:
    """Reads lines from standard input until it ends, or ``/quit``.

    Texts go to standard output, notes to standard error.
    """
    if sys.stdin.isatty():
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 (from now on, input() has line editing and a history)
        _note("type the beginning of a text, or /help")
    text = ""
    while (line := _line()) is not None:
        if line in ("/quit", "/exit"):
            return
        if line.startswith("/"):
            options = _command(line, options)
            continue
        text = line or text
        try:
            text = print_generation(generator, text, options)
        except LabError as error:
            _note(str(error))
            text = ""  # an empty line must not bring it back
        except KeyboardInterrupt:
            _note("(ended)")


def _line() -> str | None:
    try:
        return input("> " if sys.stdin.isatty() else "")
    except EOFError:
        return None


def _command(line: str, options: Options) -> Options:
    """The options after a line such as ``/top_k 20``; unchanged if it makes no sense, which is said."""
    name, _, value = line.removeprefix("/").partition(" ")
    if name == "help":
        _note(_HELP)
    elif name == "settings":
        _note(", ".join(f"{name}={_shown(getattr(options, name))}" for name in _SETTINGS))
    elif name not in _SETTINGS:
        _note(f"there is no /{name}: /help lists what there is")
    else:
        words = [] if name == "stop" and not value else [f"{name}={value}"]
        try:
            changed = parse(words, Options, LIMITS)
            check(changed)
        except LabError as error:
            _note(str(error))
        else:
            return replace(options, **{name: getattr(changed, name)})
    return options


def _shown(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
