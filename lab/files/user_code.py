"""Classes and functions out of a Python file of the user's own: ``my_idea.py:GatedMLP``.

Whoever runs a file runs all that is in it. So a file is opened for the one reason that the user has named it, on the
command line or in a call: the front door says so with ``allowed``, and within it ``load`` finds what the file defines.
A name that comes out of a checkpoint, a run folder or the network finds nothing, and its owner is asked for the file.
"""

import importlib.util
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from lab.errors import CodeNeeded, LabError

_REFERENCE = re.compile(r"(?P<file>.*[^/\\]\.py):(?P<name>[^\W\d]\w*)", re.DOTALL)
_NONE: Mapping[str, ModuleType] = MappingProxyType({})
_files: ContextVar[Mapping[str, ModuleType]] = ContextVar("_files", default=_NONE)


def is_reference(value: object) -> bool:
    """Does an option name something in a Python file, ``FILE.py:NAME``?"""
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def split(reference: str) -> tuple[str, str]:
    """The file and the name of a reference."""
    found = _REFERENCE.fullmatch(reference)
    assert found is not None, reference
    return found["file"], found["name"]


@contextmanager
def allowed(files: Iterable[Path]) -> Iterator[None]:
    """Runs the files that the user has named; until the end of the block, ``load`` finds what they define.

    A file is known by its name without folders: a model is opened anywhere, with the file wherever it lies now.

    Raises:
        LabError: if one is missing or fails, or two have the same name.
    """
    found = dict(_files.get())
    named: dict[str, Path] = {}
    for file in files:
        path = file.resolve()
        if named.setdefault(path.name, path) != path:
            raise LabError(f"{named[path.name]} and {path} have the same name: rename one of them")
    for name, path in named.items():
        found[name] = _run(path)
    token = _files.set(found)
    try:
        yield
    finally:
        _files.reset(token)


def load(option: str, reference: str) -> Any:
    """What a reference names.

    Args:
        option: the option that has this value, for the sentence of a mistake.
        reference: ``FILE.py:NAME``.

    Raises:
        CodeNeeded: if nobody has named the file here and now.
        LabError: if it defines no such name.
    """
    file, name = split(reference)
    there = re.split(r"[/\\]", file)[-1]
    module = _files.get().get(there)
    if module is None:
        raise CodeNeeded(
            f"{option} is {name} of {file}, code of its author's own that is not kept in checkpoints: "
            f"give the file again, with parts={file}"
        )
    if not hasattr(module, name):
        public = [key for key, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
        known = f"it has {', '.join(public)}" if public else "it defines no class and no function"
        raise LabError(f"{option}={reference}: there is no {name} in {file}; {known}")
    return getattr(module, name)


def where(error: BaseException) -> str:
    """What went wrong in a file of the user's own, and on which line of it: ``KeyError: 'x', idea.py line 7``."""
    said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    ours = {getattr(module, "__file__", None): name for name, module in _files.get().items()}
    lines = [
        f"{ours[frame.filename]} line {frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename in ours
    ]
    return f"{said}, {lines[-1]}" if lines else said


def _run(path: Path) -> ModuleType:
    # A name of its own, so that no file stands in for a module of somebody else's, nor for another version of itself.
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LabError(f"{path} cannot be read ({error.strerror}): give the path of a Python file") from error
    name = f"lab_user_code_{sha256(bytes(path) + content).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    loader = _AsRead(name, str(path), content)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look there
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise LabError(f"{path}{_line(path, error)} does not run ({type(error).__name__}: {error})") from error
    return module


class _AsRead(SourceFileLoader):
    """Runs what was read, and keeps no bytecode beside it. Python takes that for the file's own as long as the file has
    the length and the second of before: an idea that was changed within it would be the one before, unnoticed."""

    def __init__(self, name: str, path: str, content: bytes) -> None:
        super().__init__(name, path)
        self._content = content

    def get_data(self, path: str) -> bytes:
        return self._content

    def path_stats(self, path: str) -> Mapping[str, Any]:
        raise OSError  # so that no bytecode is looked for


def _line(path: Path, error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}," if error.lineno else ""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", line {lines[-1]}," if lines else ""
