"""How every command runs: its mistakes told in one sentence, its streams guarded, its end in good order."""

import os
import signal
import sys
from collections.abc import Callable

from lab.errors import Interrupted, LabError
from lab.files.paths import settle_variables
from lab.system import standard_streams
from lab.system.signals import ENDING, Signals


def run(story: Callable[[], None], help_text: Callable[[], str] | None = None, output_matters: bool = True) -> None:
    """Runs a command line. Returns if all went well, and else exits: with 1 after a mistake told in one sentence on
    standard error, with 128 and the number of the signal after one that ends the process.

    Args:
        story: what the command does.
        help_text: what to print instead, if ``--help`` was typed.
        output_matters: printing is what the command is there for: if that fails, so has the command. Otherwise it does
            its work without a terminal, too.
    """
    if help_text is not None and {"-h", "--help"} & set(sys.argv[1:]):
        story, output_matters = lambda: print(help_text().removesuffix("\n")), True
    with standard_streams.guarded(output_matters):
        try:
            try:
                _tell(story)
            finally:
                sys.stdout.flush()  # now, while there is somebody to say that it failed
        except standard_streams.OutputLost as lost:
            if not lost.nobody_reads:  # head and pagers have seen enough, which is no mistake
                print(f"error: {lost}", file=sys.stderr)
            sys.exit(1)


def run_composing(
    story: Callable[[], None], help_text: Callable[[], str] | None = None, output_matters: bool = True
) -> None:
    """``run`` for commands whose options are Hydra's: the mistakes that it finds are told in one sentence."""
    # Hydra would print its own account of an exception, and hide the traceback of a real bug.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")

    def explained_story() -> None:
        from lab.config.explain import explained  # brings in Hydra, which --help and the other commands do without

        settle_variables()
        with explained(sys.argv[1:]):
            story()

    run(explained_story, help_text, output_matters)


def _tell(story: Callable[[], None]) -> None:
    try:
        # Ctrl-C stays Python's own: in the prompt loop it ends a generation, and not the process.
        with Signals(tuple(number for number in ENDING if number != signal.SIGINT)):
            story()
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Interrupted as stop:
        sys.exit(stop.exit_code)
