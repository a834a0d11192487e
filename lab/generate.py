"""Continues a text with a trained model: ``python -m lab.generate checkpoint=last prompt="The fox"``."""

import sys
from pathlib import Path

from lab.commands import entry, prompt_loop
from lab.commands.generation import LIMITS, Generator, Options, check, print_generation
from lab.commands.options import help_text, own_parts, parse
from lab.errors import LabError
from lab.files.paths import settle_variables, typed_path
from lab.files.utf8 import decode

_HEAD = """\
Continues a text. Standard output carries the text alone; what else there is to say goes to standard error.

    python -m lab.generate checkpoint=last prompt="The fox" temperature=0.8 top_k=50
    python -m lab.generate prompt_file=- < beginning.txt
    python -m lab.generate interactive=true

Texts and paths are taken as typed, whatever is in them. Once a text has filled the model's context, the older half of
what the model sees is dropped and the rest read again; so it always sees between half a context and a whole one.
"""


def main() -> None:
    """The command line."""
    entry.run(_start, lambda: help_text(_HEAD, Options, LIMITS))


def _start() -> None:
    settle_variables()
    options = parse(sys.argv[1:], Options, LIMITS)
    check(options)
    if sys.__stdin__ is None and (options.interactive or options.prompt_file == "-"):
        raise LabError("standard input is closed, and the text was to come from there: give prompt= instead")
    with own_parts(options.parts):
        generator = Generator(options.checkpoint, options.weights)
    if options.interactive:
        prompt_loop.run(generator, options)
    else:
        print_generation(generator, _prompt(options), options)


def _prompt(options: Options) -> str:
    if options.prompt_file is None:
        return options.prompt
    try:
        if options.prompt_file == "-":
            data = sys.stdin.buffer.read()
        else:
            data = typed_path(options.prompt_file, Path.cwd()).read_bytes()
    except OSError as error:
        raise LabError(f"prompt_file={options.prompt_file} cannot be read: {error.strerror}") from error
    return decode(data, f"prompt_file={options.prompt_file}").removesuffix("\n").removesuffix("\r")


if __name__ == "__main__":
    main()
