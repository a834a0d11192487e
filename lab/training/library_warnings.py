"""Which warnings of the libraries reach the screen: all but those listed here, each as one line."""

import contextlib
import logging
import re
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from lab.system import ranks

_CALLBACKS = r"Be aware that when using `ckpt_path`.*following callbacks: "

SILENT = (
    # Who chooses trainer=cpu on a machine with a GPU means it; the summary says which device it is.
    "GPU available but not used",
    # Cutting a batch takes well under a millisecond: no worker could make that faster.
    r"The '\w+' does not have many workers",
    # The lab starts its processes itself, one a device; srun is for several machines.
    "The `srun` command is available on your system but is not used",
    # These are summed over the devices already: LanguageModelMetrics and those of the options are torchmetrics.
    r"It is recommended to use `self\.log\('val_\w+'",
    # Whoever continues with save=false has said so.
    _CALLBACKS + r"\['Checkpoints'\]",
    # It is about one file, and lab.runs.ownership has seen to it that it is the run's own.
    "Experiment logs directory .* exists and is not empty",
    # Lightning asks torch in the words of an older torch.
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",
    # In fp16 the first steps may be skipped, until the scaler has found its factor: that is how it looks for it.
    r"Detected call of `lr_scheduler\.step\(\)` before `optimizer\.step\(\)`",
)
"""Beginnings of warnings that their reader can do nothing about, as regular expressions."""

REWORDED = {
    _CALLBACKS + r"\[(?:'Checkpoints', )?(.*)\]\.": "the run that is continued had callbacks that this one has not: "
    r"\1; to have them again, give the same callbacks=",
}
"""What is said instead, where a library speaks of things that are not to be seen from the command line."""


@contextlib.contextmanager
def as_lines() -> Iterator[None]:
    """Within it, a warning is a line on standard error, once, and the silent ones are none. Of the processes of a run,
    the first warns."""
    # Lightning tells in its log which hardware it has found; so does our own summary.
    for name in ("lightning.pytorch", "lightning.fabric", "lightning"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Here it says that an experiment is new, which is so each time.
    logging.getLogger("lightning.pytorch.loggers.mlflow").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        for beginning in SILENT:
            warnings.filterwarnings("ignore", beginning)
        # For those who write libraries, or whoever calls them; nobody who trains can act on them.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        told: set[str] = set()

        def tell(message: Warning | str, *_: Any, **__: Any) -> None:
            text = " ".join(str(message).split())
            for pattern, instead in REWORDED.items():
                text = re.sub(f"^{pattern}", instead, text)
            if text not in told and ranks.is_first():
                print(f"warning: {text}", file=sys.stderr, flush=True)
            told.add(text)

        warnings.showwarning = tell
        yield
