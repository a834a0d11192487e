"""Checkpoints in shards: each process of a run writes what it has of every tensor, side by side.

    checkpoints/last.ckpt                      all but the tensors, and a list of the files that have them
    checkpoints/shards-00000040-5f0c11d2/      these files, one from each process

The list is written last and takes its name in one step, as every checkpoint does: what a killed process leaves is a
folder that nobody names. A second name of the list (``best.ckpt``) is a second name of the whole.

The shards are safetensors, written by torch.distributed.checkpoint, which knows what each process has of a tensor. Its
own format keeps that in a pickle, which could name any function to be called on loading; here it is JSON.
"""

import contextlib
import hashlib
import re
import secrets
import shutil
import stat
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lab.errors import LabError
from lab.files.validation import LARGEST, Unfit, parts, table, text, whole

KEY = "shards"
"""Where the list stands in a checkpoint."""
FOLDER = re.compile(r"shards-(\d{8,})-[0-9a-f]{8}")
_FILE = re.compile(r"shard-\d{5}-model-\d{5}-of-\d{5}\.safetensors")
_LISTED = parts({"folder": text(60), "files": table(parts({"bytes": whole(), "sha256": text(64)}))})
_PARTS = ("state_dict", "optimizer_states")
"""The parts of a checkpoint whose tensors may be in shards: there, a name stands in a tensor's place."""


def new_name(step: int) -> str:
    """A name for the folder of the shards of ``step``, which no other has."""
    return f"shards-{step:08d}-{secrets.token_hex(4)}"


def split(checkpoint: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """A checkpoint with names in the place of tensors that are shared out (torch's DTensors), and these by name. One
    that stands in two places, as a tied weight does, has one name. All processes of the run have to come here.
    """
    import torch.distributed as dist
    from torch.distributed.tensor import DTensor

    found: dict[str, Any] = {}

    def named(tree: Any, where: str) -> Any:
        if isinstance(tree, DTensor):
            found[where] = tree.detach()
            return where
        if isinstance(tree, Tensor):
            return tree.detach().cpu()
        if isinstance(tree, dict):
            return {key: named(value, f"{where}.{key}") for key, value in tree.items()}
        return [named(v, f"{where}.{at}") for at, v in enumerate(tree)] if isinstance(tree, list) else tree

    rest = {key: named(value, key) if key in _PARTS else value for key, value in checkpoint.items()}
    places: dict[int, str] = {}
    # By where they lie in the memory of the first process, which has the first rows of each; others may have none.
    told = [{name: places.setdefault(tensor.to_local().data_ptr(), name) for name, tensor in found.items()}]
    dist.broadcast_object_list(told, src=0)
    (names,) = told
    renamed = {key: _renamed(value, names) if key in _PARTS else value for key, value in rest.items()}
    return renamed, {name: found[name] for name in names.values()}


def _renamed(tree: Any, names: Mapping[str, str]) -> Any:
    if isinstance(tree, dict):
        return {key: _renamed(value, names) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_renamed(value, names) for value in tree]
    return names.get(tree, tree) if isinstance(tree, str) else tree


def write(tensors: Mapping[str, Tensor], folder: Path) -> dict[str, Any]:
    """Writes what this process has of ``tensors`` (torch's DTensors) into ``folder``. All processes of the run have to
    come here. Returns the list of the files of all, for the checkpoint.

    Raises:
        OSError: in all of them, if one of them could not write.
    """
    import torch.distributed as dist
    from torch.distributed.checkpoint import HuggingFaceStorageWriter, save  # type: ignore[attr-defined]
    from torch.distributed.checkpoint.api import CheckpointException

    folder.mkdir(parents=True, exist_ok=True)
    mine: dict[str, dict[str, Any]] | OSError
    try:
        with warnings.catch_warnings(action="ignore"):
            save(dict(tensors), storage_writer=HuggingFaceStorageWriter(str(folder), save_distributed=True))
        mine = {
            path.name: {"bytes": path.stat().st_size, "sha256": _digest(path)}
            for path in folder.glob(f"shard-{dist.get_rank() + 1:05d}-*.safetensors")
        }
    except CheckpointException as error:  # no Exception, in torch
        first = next(iter(error.failures.values()))[0]
        mine = first if isinstance(first, OSError) else OSError(str(first))
    except OSError as error:
        mine = error
    all_of_them: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(all_of_them, mine if isinstance(mine, dict) else OSError(mine.errno, str(mine)))
    for found in all_of_them:
        if isinstance(found, OSError):
            raise found
    return {"folder": folder.name, "files": {name: file for found in all_of_them for name, file in found.items()}}


def assembled(found: dict[str, Any], path: Path) -> dict[str, Any]:
    """The checkpoint ``found`` at ``path`` with each tensor whole and in its place.

    Raises:
        Unfit: if the list, or a shard, is not what it must be.
        LabError: if a shard is not there, or was changed since it was written.
    """
    listed = _LISTED(found[KEY], KEY)
    if not FOLDER.fullmatch(listed["folder"]) or not all(map(_FILE.fullmatch, listed["files"])):
        raise Unfit(f"{KEY} has names that no shard has")
    folder = path.parent / listed["folder"]
    for name, told in listed["files"].items():
        _refuse_changed(folder / name, told, path)
    try:
        tensors = _read(folder, sum(told["bytes"] for told in listed["files"].values()), set(listed["files"]))
    except (Unfit, LabError):
        raise
    except Exception as error:  # bytes from anywhere can make a reader stumble in any way
        raise LabError(f"{path} is damaged: its shards in {folder} cannot be read; use an older one") from error
    return {
        name: _with_tensors(value, tensors) if name in _PARTS else value for name, value in found.items() if name != KEY
    }


def _refuse_changed(file: Path, told: Mapping[str, Any], path: Path) -> None:
    try:
        status = file.lstat()
        is_same = stat.S_ISREG(status.st_mode) and not file.parent.is_symlink() and status.st_size == told["bytes"]
        is_same = is_same and _digest(file) == told["sha256"]
    except OSError as error:
        raise LabError(
            f"{path} needs {file}, which is not there: the folder of its shards goes wherever it goes"
        ) from error
    if not is_same:
        raise LabError(f"{file} was changed after it was written: use another checkpoint than {path}")


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _read(folder: Path, n_bytes: int, names: set[str]) -> dict[str, Tensor]:
    """All tensors of the shards in ``folder``, whole."""
    from torch.distributed.checkpoint import HuggingFaceStorageReader, load  # type: ignore[attr-defined]

    if {file.name for file in folder.iterdir() if file.suffix == ".safetensors"} != names:
        raise Unfit(f"{KEY} are not all the files of their folder")
    reader = HuggingFaceStorageReader(str(folder))
    told: Any = reader.read_metadata().state_dict_metadata
    for name, tensor in told.items():
        n_bytes -= tensor.size.numel() * tensor.properties.dtype.itemsize
        if not _is_covered(tensor):
            raise Unfit(f"the shards of {name[:80]!a} do not fit together")
    if n_bytes < 0:  # before any memory is asked for
        raise Unfit(f"{KEY} are smaller than the tensors in them")
    tensors = {name: torch.empty(tensor.size, dtype=tensor.properties.dtype) for name, tensor in told.items()}
    with warnings.catch_warnings(action="ignore"):  # that it reads by itself
        load(tensors, storage_reader=HuggingFaceStorageReader(str(folder)), no_dist=True)
    return tensors


def _is_covered(tensor: Any) -> bool:
    """Are the shares of a tensor its rows, each once?"""
    row = 0
    for chunk in sorted(tensor.chunks, key=lambda chunk: (chunk.offsets[0], chunk.sizes[0])):
        if chunk.offsets[0] != row or any(chunk.offsets[1:]) or chunk.sizes[1:] != tensor.size[1:]:
            return False
        row += chunk.sizes[0]
    return bool(row == tensor.size[0]) and tensor.size.numel() <= LARGEST


def _with_tensors(tree: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(tree, str):
        if tree not in tensors:
            raise Unfit(f"{KEY} have no {tree[:80]!a}")
        return tensors[tree]
    if isinstance(tree, dict):
        # What a group of parameters says of itself is words and numbers.
        return {n: value if n == "param_groups" else _with_tensors(value, tensors) for n, value in tree.items()}
    return [_with_tensors(value, tensors) for value in tree] if isinstance(tree, list) else tree


def tidy(folder: Path) -> None:
    """Removes the shards in a folder of checkpoints that none of these names: for the process that writes them, when
    it is not writing any."""
    there = [path for path in _folders(folder) if not path.is_symlink()]
    if not there:
        return
    try:
        named = {_folder_of(path) for path in folder.glob("*.ckpt")}
    except OSError:  # one that cannot be asked may name any of them
        return
    for path in there:
        if path.name not in named:
            shutil.rmtree(path, ignore_errors=True)


def n_bytes(folder: Path, step: int | None) -> int:
    """How large the shards of the checkpoint of a ``step`` are, in a folder of checkpoints; 0 if it has none."""
    files = [file for path in _of_step(folder, step) for file in path.iterdir()]
    return sum(file.lstat().st_size for file in files)


def remove(folder: Path, step: int | None) -> None:
    """Removes the shards of a ``step``, whose last checkpoint is gone."""
    for path in _of_step(folder, step):
        shutil.rmtree(path, ignore_errors=True)


def _of_step(folder: Path, step: int | None) -> list[Path]:
    found = ((path, FOLDER.fullmatch(path.name)) for path in _folders(folder))
    return [path for path, match in found if match and int(match[1]) == step and not path.is_symlink()]


def _folders(folder: Path) -> Iterable[Path]:
    with contextlib.suppress(OSError):
        return [path for path in folder.iterdir() if FOLDER.fullmatch(path.name) and path.is_dir()]
    return []


def _folder_of(path: Path) -> str | None:
    """The folder that a checkpoint names, if it is one in shards."""
    try:  # as lab.runs.checkpoint.load does, which says why
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        return str(found[KEY]["folder"])
    except OSError:
        raise
    except Exception:
        return None
