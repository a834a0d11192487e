"""Checkpoints of earlier formats, as those of today.

A checkpoint names classes: those of its callbacks, in its options. Where a class has moved since, the old name is
translated here, once, when the file is opened; nothing else needs to know that there ever was another.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from lab.parts.config import ModelConfig

FORMAT = 6
"""Version of what stands under ``lab`` in a checkpoint.

1: without a checksum. 2: with one over everything. 3: the lab's modules are named by the room they stand in.
4: the model says which parts it is made of. 5: a run says how its windows are shuffled.
6: what its optimizer remembers has a checksum of its own, so that who wants the model alone need not read it.
"""

_MOVED = {"lab.callbacks.": "lab.training.callbacks."}
"""Beginnings of the ``_target_`` of classes that were files in one flat folder until format 2."""


def migrated(metadata: dict[str, Any]) -> dict[str, Any]:
    """The metadata of a checkpoint of any format up to ``FORMAT``, as this version writes them. They have been checked
    (``lab.runs.checkpoint_schema``), in the shape that all formats share."""
    for step in _STEPS[metadata["format"] - 1 :]:
        metadata = step(metadata)
    return {**metadata, "format": FORMAT}


def _from_1(metadata: dict[str, Any]) -> dict[str, Any]:
    return metadata  # what it lacks, a checksum, is made when it is written again


def _from_2(metadata: dict[str, Any]) -> dict[str, Any]:
    return {**metadata, "config": _with_rooms(metadata["config"])}


def _from_3(metadata: dict[str, Any]) -> dict[str, Any]:
    model = ModelConfig(**metadata["config"]["model"])  # GPT-2's parts, which were the only ones
    return {**metadata, "config": {**metadata["config"], "model": asdict(model)}}


def _from_4(metadata: dict[str, Any]) -> dict[str, Any]:
    return metadata  # where nothing is said of the shuffle, LabData takes the one that there was


def _from_5(metadata: dict[str, Any]) -> dict[str, Any]:
    return metadata  # its checksum has been looked at


_STEPS: tuple[Callable[[dict[str, Any]], dict[str, Any]], ...] = (_from_1, _from_2, _from_3, _from_4, _from_5)
"""From each format to the next."""


def _with_rooms(options: Any) -> Any:
    if isinstance(options, dict):
        return {key: _moved(value) if key == "_target_" else _with_rooms(value) for key, value in options.items()}
    return [_with_rooms(value) for value in options] if isinstance(options, list) else options


def _moved(target: Any) -> Any:
    for old, new in _MOVED.items():
        if isinstance(target, str) and target.startswith(old):
            return new + target.removeprefix(old)
    return target
