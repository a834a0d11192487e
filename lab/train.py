"""Trains a GPT: ``python -m lab.train model=small corpus=verdict``. What a run does stands in ``lab.training.run``."""

import sys

from lab.commands import entry, train_help

_PRINTING = {"--cfg", "-c", "--info", "-i", "--hydra-help", "--shell-completion", "-sc", "--version", "--sbatch"}
"""What is answered without training anything."""


def main() -> None:
    """The command line."""
    # A run does not end because its terminal, or the disk of its log, has. What only prints has nothing else to do.
    entry.run_composing(_start, train_help.text, output_matters=bool(_PRINTING & set(sys.argv[1:])))


def _start() -> None:
    from lab.commands import sbatch, train  # here, because Hydra and torch take seconds, and --help needs neither

    sbatch.print_script() if sbatch.FLAG in sys.argv else train.start()


if __name__ == "__main__":
    main()
