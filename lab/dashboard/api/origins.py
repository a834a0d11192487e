"""What a run goes on from, opened in the process that opens checkpoints for the server: some are large, and it may
break."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from anyio import from_thread

from lab.dashboard.http_errors import ApiError
from lab.dashboard.options.request import Origin, Parent
from lab.dashboard.settings import Settings
from lab.dashboard.store import inside_root
from lab.dashboard.store.run_folders import Runs, stamp_of
from lab.dashboard.worker.client import Inference

_KEPT = 256
_known: OrderedDict[tuple[object, ...], tuple[Path, list[str]]] = OrderedDict()
"""What checkpoints bring along, by what identifies the file and what was given in its place."""
_lock = threading.Lock()


def find(settings: Settings, runs: Runs, inference: Inference, parent: Parent | None) -> Origin | None:
    """The checkpoint that is named; None if none is.

    Raises:
        ApiError: if there is no such checkpoint.
    """
    if parent is None:
        return None
    found = next((c for c in runs.checkpoints(parent.run) if c.id == parent.checkpoint), None)
    if found is None:
        raise ApiError(404, "this run has no such checkpoint", "checkpoint")
    return of(settings, inference, runs.folder(parent.run), found.path, found.step)


def of(settings: Settings, inference: Inference, folder: Path, source: Path, step: int | None = None) -> Origin:
    """``source`` itself: the run in ``folder``, or a checkpoint in it. It may have been downloaded: no link in it leads
    out.

    Raises:
        ApiError: if it cannot be opened.
    """
    inside_root.refuse_links_in(folder)
    path, _ = _inherited(settings, inference, source, ())
    return Origin(path, step, lambda words: _inherited(settings, inference, path, tuple(words))[1])


def _inherited(settings: Settings, inference: Inference, source: Path, typed: Sequence[str]) -> tuple[Path, list[str]]:
    key = (str(source), stamp_of(source), *typed)
    with _lock:
        if key in _known and source.suffix == ".ckpt":
            _known.move_to_end(key)
            return _known[key]
    ask = partial(inference.ask, "inherited", source, typed=list(typed), start_folder=settings.root)
    path, words = from_thread.run(ask)
    with _lock:
        _known[key] = path, words
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return path, words
