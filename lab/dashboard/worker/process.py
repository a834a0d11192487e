"""The process that runs models for the server: generation and inspection block neither it nor a training.

It speaks over a pipe. A request comes as ``(number, what, path, arguments)``, ``(number, "cancel")`` takes one back.
Answers go out as ``(number, "item", value)``, and at last ``(number, "end", None)`` or ``(number, "error", sentence)``.
"""

import os
import signal
from collections import OrderedDict, deque
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lab.errors import CodeNeeded, LabError

_MODELS = 2
"""Models that are kept open."""
_ANSWERS = 128
"""Answers of inspections that are kept."""

Request = tuple[int, str, str, dict[str, Any]]


def serve(pipe: Connection) -> None:
    """Answers requests, one after the other, until the other end of the pipe is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then closes the pipe
    import torch

    # A training on the same cores must not be brought to a halt by somebody who plays with a model.
    torch.set_num_threads(max(1, (os.cpu_count() or 2) // 2))
    inbox = _Inbox(pipe)
    models = _Models()
    answers: OrderedDict[Any, Any] = OrderedDict()
    try:
        while True:
            number, what, path, arguments = inbox.next()
            try:
                for value in _answers(models, answers, what, Path(path), arguments):
                    if inbox.is_cancelled(number):
                        break
                    pipe.send((number, "item", value))
                pipe.send((number, "end", None))
            except (LabError, ValueError) as error:
                pipe.send((number, "error", str(error)))
            except MemoryError:
                pipe.send((number, "error", "there is not enough memory for this"))
    except (EOFError, OSError):
        return


class _Inbox:
    """What has come in and is not done yet."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self.waiting: deque[Request] = deque()
        self.cancelled: set[int] = set()

    def next(self) -> Request:
        """The next request that nobody has taken back; waits for one."""
        while True:
            while not self.waiting:
                self._take(self.pipe.recv())
            request = self.waiting.popleft()
            if not self.is_cancelled(request[0]):
                self.cancelled.clear()  # what was taken back after it had ended
                return request

    def is_cancelled(self, number: int) -> bool:
        """Has this request been taken back by now?"""
        while self.pipe.poll():
            self._take(self.pipe.recv())
        return number in self.cancelled

    def _take(self, message: Any) -> None:
        if message[1] == "cancel":
            self.cancelled.add(message[0])
            self.waiting = deque(request for request in self.waiting if request[0] != message[0])
        else:
            self.waiting.append(message)


class _Models:
    """The models that were asked for last. A file that has been written anew is another model."""

    def __init__(self) -> None:
        self._open: OrderedDict[Any, Any] = OrderedDict()

    @staticmethod
    def key(path: Path) -> tuple[str, int, int, int]:
        """What identifies the model in a file."""
        try:
            status = path.stat()
        except OSError as error:
            raise LabError(f"there is no checkpoint {path.name} any more") from error
        return str(path), status.st_mtime_ns, status.st_size, status.st_ino

    def get(self, path: Path) -> Any:
        """The model in the checkpoint at ``path``, or in a folder of Hugging Face's, its tokenizer, and the tokens that
        it writes with (``Pretrained.occurring``)."""
        from lab.inference.weight_format import prepare
        from lab.interchange.pretrained import open_pretrained
        from lab.system.device import torch_device

        key = self.key(path)
        if key not in self._open:
            found = open_pretrained(str(path), path.parent)
            prepare(found.model, torch_device())
            self._open[key] = found.model, found.tokenizer, found.occurring
        self._open.move_to_end(key)
        while len(self._open) > _MODELS:
            self._open.popitem(last=False)
        return self._open[key]


def _answers(
    models: _Models, answers: "OrderedDict[Any, Any]", what: str, path: Path, arguments: dict[str, Any]
) -> Iterator[Any]:
    if what == "inherited":
        from lab.runs.checkpoint import find
        from lab.training.resume import inherited_overrides

        found = find(str(path), arguments["start_folder"])
        yield found, inherited_overrides([f"resume={found}", *arguments["typed"]], arguments["start_folder"])
        return
    if what == "rate":
        yield _rate(**arguments)
        return
    if what == "generate":
        from lab.dashboard.worker.generation import generate

        yield from generate(*models.get(path), **arguments)
        return
    key = (_Models.key(path), what, tuple(sorted(arguments.items())))
    if key not in answers:
        answers[key] = _seen(models, what, path, arguments)
    answers.move_to_end(key)
    while len(answers) > _ANSWERS:
        answers.popitem(last=False)
    yield answers[key]


def _seen(models: _Models, what: str, path: Path, arguments: dict[str, Any]) -> Any:
    """One look at a model; the same question has the same answer."""
    from lab.dashboard.worker import ablation, inspection, structure, walk

    try:
        model, tokenizer, occurring = models.get(path)
    except CodeNeeded:
        if what != "structure":
            raise
        return structure.of_file(path)
    match what:
        case "structure":
            return structure.of_model(model.config)
        case "walk":
            return walk.follow(model, tokenizer, **arguments)
        case "without":
            return ablation.compare(model, tokenizer, occurring, **arguments)
        case _:
            return inspection.inspect(model, tokenizer, what, **arguments)  # type: ignore[arg-type]


def _rate(precision: str, device: str, threads: int) -> Any:
    """How fast products are in the number format of a training, with as many threads as it would have."""
    import torch

    from lab.profiling.products import number_format
    from lab.profiling.rate import measure
    from lab.system.device import torch_device

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return measure(number_format(precision), torch_device(device))
    finally:
        torch.set_num_threads(before)
