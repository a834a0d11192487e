"""Checkpoints: written whole or not at all, found again, and opened without trusting them."""

import os
import pickle
import re
import shlex
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch

from lab.config.plan import Plan
from lab.config.schema import Config, to_plain
from lab.data.token_file import TokenFile
from lab.errors import CodeNeeded, LabError, is_text
from lab.files import atomic
from lab.files.paths import typed_path
from lab.files.run_files import CHECKPOINTS_FOLDER
from lab.files.validation import Lacking, Unfit, bounded, said
from lab.parts.config import ModelConfig, from_plain
from lab.runs import checkpoint_schema as schema
from lab.runs import newest, shards
from lab.runs.checkpoint_schema import CheckpointDict, Metadata
from lab.runs.digest import digest
from lab.runs.migrations import FORMAT, migrated
from lab.runs.tensors import in_memory
from lab.tokenizers.contract import Definition
from lab.tokenizers.definition import called

_APART = 6
"""The first format in which what the optimizer remembers has a checksum of its own."""
_TENSOR = re.compile(r"/data/\d+$")
"""What torch calls the parts of its files in which the numbers of tensors are."""


def metadata(config: Config, tokens: TokenFile, plan: Plan | None = None, tokenizer: Definition = "gpt2") -> Metadata:
    """What a checkpoint says of itself: plain values, enough to rebuild the model and to refuse a wrong resume."""
    return {
        "format": FORMAT,
        "config": to_plain(config),
        "plan": asdict(plan) if plan else {},
        "tokenizer": tokenizer,
        "corpus": {"name": config.corpus.name, "fingerprint": tokens.fingerprint, "n_tokens": tokens.n_tokens},
    }


def save(checkpoint: Mapping[str, Any], path: Path) -> None:
    """Writes a checkpoint straight to a temporary file beside ``path``, then renames it.

    Raises:
        OSError: if the disk is full, say; a checkpoint that stood at ``path`` before is untouched.
        LabError: if somebody's callback has put something into it that could not be read again.
    """
    with atomic.writing(path) as file:
        torch.save(sealed(checkpoint), file)


def sealed(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The checkpoint with the checksums of all that is in it.

    Raises:
        LabError: as ``save``.
    """
    described = {**checkpoint["lab"], "format": FORMAT}
    try:
        return {**checkpoint, "lab": described | _checksums({**checkpoint, "lab": described})}
    except TypeError as error:
        raise LabError(
            f"a callback of this run keeps something in its state that no checkpoint can hold: {error}"
        ) from error


def _checksums(checkpoint: Mapping[str, Any]) -> dict[str, str]:
    """One over the optimizer's states, where these are there and have one of their own, and one over all else."""
    rest = dict(checkpoint)
    described = {name: value for name, value in checkpoint["lab"].items() if name != "checksum"}
    apart = {}
    if described["format"] >= _APART and "optimizer_states" in rest:
        apart["optimizer_checksum"] = digest(rest.pop("optimizer_states"))
    return {**apart, "checksum": digest({**rest, "lab": described | apart})}


def _is_unchanged(found: dict[str, Any], path: Path) -> bool:
    """Does what has been read have the checksums it was written with? Files of format 1 have those of their parts."""
    described = found["lab"]
    try:
        if described["format"] < 2:
            return _is_whole(path, lambda part: True)
        return all(described.get(name) == checksum for name, checksum in _checksums(found).items())
    except (TypeError, ValueError, RuntimeError):  # there is something in it that was never written by ``save``
        return False


def load(path: Path, optimizer: bool = True) -> CheckpointDict:
    """The checkpoint at ``path``, on the CPU: the parts that ``lab.runs.checkpoint_schema`` declares, and no others.

    Args:
        optimizer: with what the optimizer remembers. AdamW keeps two numbers for each weight, so that a model to be
            used is a third of its file, and the rest need not be read.

    Raises:
        LabError: if it is missing, torn, foreign, changed since it was written, of a format that we do not know, or
            not what a checkpoint must be.
    """
    written = _opened(path, mapped=not optimizer)
    try:
        bounded(written)
        if not optimizer:
            if written["lab"]["format"] >= _APART:
                written.pop("optimizer_states", None)
            written = in_memory(written)
        found = shards.assembled(written, path) if shards.KEY in written else written
        checked = schema.check(found, optimizer)
    except Unfit as error:
        raise _unfit(path, error) from error
    if not _is_unchanged(written, path):
        raise LabError(
            f"{path} was changed after it was written: its checksum is that of other contents; use another checkpoint"
        )
    checked["lab"] = cast(Metadata, migrated(dict(checked["lab"])))
    return checked


def read_metadata(path: Path) -> tuple[Metadata, int]:
    """What the checkpoint at ``path`` says of itself (see ``Metadata``), and its step. Fast, whatever its size.

    For looking around: only these have been checked. What goes on from a checkpoint has to ``load`` it.

    Raises:
        LabError: as ``load``.
    """
    found = _opened(path, look_around=True)
    try:
        bounded(found)
        described = migrated(schema.METADATA(found["lab"], "lab"))
        return cast(Metadata, described), schema.STEP(found.get("global_step"), "global_step")
    except Unfit as error:
        raise _unfit(path, error) from error


def read_shapes(path: Path) -> tuple[ModelConfig, dict[str, list[int]]]:
    """The config of the model in the checkpoint at ``path``, and the shape of each weight by its name in the model.

    For looking around, as ``read_metadata``: also at a model whose code is not here.

    Raises:
        LabError: as ``load``.
    """
    found = _opened(path, look_around=True)
    try:
        bounded(found)
        described = migrated(schema.METADATA(found["lab"], "lab"))
        config = from_plain(described["config"]["model"])
        weights = found.get("state_dict")
        if not isinstance(weights, dict) or not all(
            isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in weights.items()
        ):
            raise Unfit("state_dict is no table of tensors")
    except (Unfit, TypeError, ValueError) as error:
        raise _unfit(path, error) from error
    return config, {name.removeprefix(schema.PREFIX): list(tensor.shape) for name, tensor in weights.items()}


def _unfit(path: Path, error: Exception) -> LabError:
    if isinstance(error, Lacking):
        return LabError(f"{path} lacks parts that every checkpoint of this lab has ({error}): use another one")
    return LabError(f"{path} is not usable: {error}; use another checkpoint")


def _opened(path: Path, look_around: bool = False, mapped: bool = False) -> dict[str, Any]:
    """What is in a file, unchecked but for its format.

    Read with ``weights_only=True``: a pickle can name any function to be called on loading, and this mode knows
    tensors and plain containers only. Always given outright, since an environment variable can change the default.

    Args:
        look_around: leave the tensors, and the checksums of the file's parts, alone.
        mapped: read a tensor's numbers when they are asked for.
    """
    if not path.is_file():
        raise LabError(f"there is no checkpoint {path}: give the path of a .ckpt file")
    if not _is_whole(path, lambda part: not look_around and not _TENSOR.search(part)):
        raise LabError(f"{path} is damaged or not a checkpoint: use an older one, such as best.ckpt")
    # torch maps only files whose name is UTF-8 to it: not one of other bytes, and not "λ" in an ASCII locale.
    mapped = (look_around or mapped) and is_text(str(path))
    try:
        with warnings.catch_warnings(action="ignore"):  # about kinds of tensors that are refused anyway
            found = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        raise LabError(
            f"{path} was not opened: it holds something other than tensors and plain values, which could run code; "
            "use a checkpoint that this lab wrote"
        ) from error
    except Exception as error:  # bytes from anywhere can make an unpickler stumble in any way
        raise LabError(f"{path} is damaged or not a checkpoint: use an older one, such as best.ckpt") from error
    described = found.get("lab") if isinstance(found, dict) else None
    if not isinstance(described, dict) or "format" not in described:
        raise LabError(f"{path} is not a checkpoint of this lab: it does not say which model it belongs to")
    if type(described["format"]) is not int or not 1 <= described["format"] <= FORMAT:
        known = f"formats 1 to {FORMAT}"
        raise LabError(f"{path} has format {said(described['format'])}, and this version of the lab reads {known}")
    opened: dict[str, Any] = found
    return opened


def _is_whole(path: Path, read: Callable[[str], bool]) -> bool:
    """Is it a file of torch's making, and has every part that shall be ``read`` the checksum it was written with?

    torch's format is a zip file, whose table of contents is written last: a torn one has none. The checksums are in
    it, but torch does not look at them, and follows a flipped bit in what says how long a tensor is out of its memory.
    The tensors themselves need not be read here: they have a checksum of our own.
    """
    try:
        with path.open("rb") as file:
            if file.read(4) != b"PK\x03\x04":  # else torch would take it for its older, unchecked format
                return False
        with zipfile.ZipFile(path) as parts:
            listed = parts.infolist()
            # torch packs nothing: a small file that unfolds into a large one is not of its making.
            if any(part.compress_type != zipfile.ZIP_STORED for part in listed):
                return False
            if sum(part.file_size for part in listed) > path.stat().st_size:
                return False
            for part in listed:
                if read(part.filename):
                    with parts.open(part) as opened:
                        while opened.read(2**20):  # at its end, it complains of another checksum
                            pass
            return True
    except Exception:  # zipfile, too, has many ways to stumble over damaged bytes
        return False


def find(wanted: str, start_folder: Path, option: str = "resume") -> Path:
    """The checkpoint that ``wanted`` names: a file, the newest usable in a run folder (or in its ``checkpoints``, named
    outright), or (``last``) of all runs.

    Raises:
        LabError: if there is none.
    """
    return _found(wanted, start_folder, option)[0]


def find_and_load(wanted: str, start_folder: Path, option: str = "resume") -> tuple[Path, CheckpointDict]:
    """As ``find`` and then ``load``, with the optimizer if it is to resume; what had to be loaded to be found is not
    read again.

    Raises:
        LabError: as both.
    """
    path, found = _found(wanted, start_folder, option)
    return path, found or load(path, option == "resume")


def _found(wanted: str, start_folder: Path, option: str) -> tuple[Path, CheckpointDict | None]:
    if wanted.startswith(("http://", "https://")):
        raise LabError(f"{option}={wanted}: fetch the file first; checkpoints are read from the disk only")
    target = typed_path(wanted, start_folder)
    if target.is_file():
        return target, None
    if target.is_dir():
        folders = [target / CHECKPOINTS_FOLDER]
        where = f"{target / CHECKPOINTS_FOLDER} (was that run started with save=true?)"
        if not folders[0].is_dir() and (target.name == CHECKPOINTS_FOLDER or next(target.glob("*.ckpt"), None)):
            folders, where = [target], str(target)
    elif wanted == "last":
        kept = (start_folder / "outputs").rglob(CHECKPOINTS_FOLDER)
        runs = newest.runs_first({folder.parent for folder in kept if next(folder.glob("*.ckpt"), None)})
        folders = [run / CHECKPOINTS_FOLDER for run in runs]
        where = f"{start_folder / 'outputs'} (runs keep them with save=true)"
    else:
        raise LabError(f"{option}={wanted}: there is no such file or folder ({target.absolute()})")
    # The weights alone of a run that has just begun are not what somebody means who has a whole checkpoint.
    for alone, folder in ((alone, folder) for alone in (False, True) for folder in folders):
        there = (path for path in folder.glob("*.ckpt") if alone is bool(newest.SNAPSHOT.fullmatch(path.name)))
        for path in newest.checkpoints_first(there, folder.resolve().parent):
            try:
                found = load(path, option == "resume")
            except CodeNeeded:  # whole, as far as it can be told
                return path, None
            except LabError:
                continue  # torn: the one before it is whole
            if option != "resume" or not found["lab"].get("weights_only"):
                return path, found
    raise LabError(f"{option}={wanted}: there is no usable checkpoint in {where}")


def how_to_go_on(run_folder: Path) -> str:
    """What somebody should do whose run in ``run_folder`` has broken off."""
    if next((run_folder / CHECKPOINTS_FOLDER).glob("*.ckpt"), None) is None:
        return "start the run again"
    return f"continue it with resume={shlex.quote(str(run_folder))}"


def refuse_other_run(
    checkpoint: CheckpointDict, config: Config, tokens: TokenFile, path: Path, tokenizer: Definition = "gpt2"
) -> None:
    """Checks that ``config`` continues the run that ``checkpoint`` was taken from.

    Raises:
        LabError: listing every difference that would make it another run: model, corpus, optimizer or tokenizer.
    """
    then, now = checkpoint["lab"], metadata(config, tokens, tokenizer=tokenizer)
    differences = [
        f"model.{name} was {then['config']['model'].get(name)} and is {value}"
        for name, value in now["config"]["model"].items()
        if then["config"]["model"].get(name) != value and name not in ("drop_rate", "activation_checkpointing")
    ]
    if then["corpus"]["fingerprint"] != now["corpus"]["fingerprint"]:
        names = then["corpus"]["name"], now["corpus"]["name"]
        same_name = f"the text of the corpus {names[0]} has changed"
        differences.append(same_name if names[0] == names[1] else f"the corpus was {names[0]} and is {names[1]}")
    weights = [(described["config"].get("corpus") or {}).get("weights") for described in (then, now)]
    if weights[0] != weights[1]:  # each part would go on somewhere else
        differences.append(f"corpus.weights was {weights[0]} and is {weights[1]}")
    optimizers = [described["config"].get("optimizer") or {} for described in (then, now)]
    classes = [str(options.get("_target_")).rpartition(".")[2] for options in optimizers]
    if classes[0] != classes[1]:  # what one of them remembers of the gradients means nothing to another
        differences.append(f"the optimizer was {classes[0]} and is {classes[1]}")
    if then["tokenizer"] != now["tokenizer"]:
        differences.append(f"the tokenizer was {called(then['tokenizer'])} and is {called(now['tokenizer'])}")
    if differences:
        raise LabError(f"{path} belongs to another run: {'; '.join(differences)}")


def link(source: Path, target: Path) -> None:
    """Gives the file ``source`` a second name, atomically, in place of what was there. Where links exist, for free."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
        os.replace(temporary, target)
    except OSError:
        temporary.unlink(missing_ok=True)
        with atomic.writing(target) as file:
            file.write(source.read_bytes())
