"""What a run that goes on takes over of the options that its checkpoint names.

A checkpoint comes from who knows where, and must not say which class is built or what is fetched. It gets to choose
among the files in ``conf/`` and to set plain values; what it names beyond that is left out, and said.
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from lab.config import changed_options, quoting
from lab.config.choices import CONF_FOLDER, defaults, group_choices
from lab.config.corpora import OWN_OPTIONS
from lab.config.corpus_schema import CorpusConfig
from lab.config.groups import option_names, shipped
from lab.config.schema import Config
from lab.files import user_code
from lab.files.run_files import STATE_FILE

_SINGLE = ("model", "tokenizer", "data", "optimizer", "schedule", "trainer")
"""Groups of which one file is chosen, whose values are all plain."""
_SEVERAL = ("logger", "callbacks")
"""Groups of which several files may be chosen, each of them an object with a ``_target_``."""
_NEVER = ("resume", "init_from", "parts", "name", "tags", "notes")
_OF_TOKENIZER = ("model.vocab_size", "tokenizer.name", "tokenizer.path")
"""Follow from the choice of the tokenizer, which is in the checkpoint."""
_IDENTITY = {"name": 20, "source": 10}
"""How much more than any other value makes a file of a group the one that was chosen."""
_WORD = re.compile(r"[\w -][\w .-]*")
"""A text that is no path and no address."""


class Inherited(NamedTuple):
    """What is taken over, and what is not."""

    words: list[str]
    """In Hydra's override grammar."""
    left_out: list[str]
    """Options that only their owner can give again."""


def inherit(then: Mapping[str, Any], typed: Mapping[str, str]) -> Inherited:
    """The options ``then`` of the earlier run, for all that was not ``typed`` again (option or group to its text).

    A file of a group that was typed brings what it says differently from the file that the run had. What the run
    changed beyond that stays.
    """
    said = {**_of_files(typed), **typed}
    taken = Inherited([], [])
    for group in _SINGLE:
        _take_group(group, then.get(group), said, taken)
    _take_corpus(then.get("corpus"), said, taken)
    for group in _SEVERAL:
        _take_objects(group, then.get(group), said, taken)
    _take_metrics(then.get("metrics"), said, taken)
    single = [f.name for f in dataclasses.fields(Config) if f.default_factory is dataclasses.MISSING]
    _take(then.get("sample"), "sample.", said, taken)
    _take({name: then.get(name) for name in single if name in then and name not in _NEVER}, "", said, taken)
    unsaved = said.get("save") == "false"
    whole = {said.get("trainer", "fsdp"), said.get("trainer.strategy", "fsdp")} != {"fsdp"}
    replaced = {
        "save_every": unsaved,
        "snapshots": unsaved,
        "trainer.max_steps": _only_epochs(said),
        "trainer.checkpoints": whole,
    }
    for dropped, by in replaced.items():
        if by:
            taken.words[:] = [word for word in taken.words if not word.startswith(f"{dropped}=")]
    return taken


def _only_epochs(said: Mapping[str, str]) -> bool:
    return "trainer.max_epochs" in said and "trainer.max_steps" not in said


def _of_files(typed: Mapping[str, str]) -> dict[str, str]:
    """What the experiments and sweeps that were typed say in their turn, which counts as typed, too."""
    found: dict[str, str] = {}
    for group in ("experiment", "sweep"):
        for choice in _listed(typed.get(group, "")):
            if choice in group_choices(group):
                file = OmegaConf.to_container(OmegaConf.load(CONF_FOLDER / group / f"{choice}.yaml"))
                assert isinstance(file, dict)
                for entry in file.pop("defaults", []):
                    found |= {key.removeprefix("override /"): str(value) for key, value in entry.items()}
                found |= dict.fromkeys(file.pop("hydra", {}).get("sweeper", {}).get("params", {}), "")
                found |= dict(_flat(file, ""))
    return found


def _flat(values: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)


def _listed(text: str) -> list[str]:
    """``[tensorboard,csv]`` and ``csv`` as lists."""
    return [word.strip() for word in text.strip("[]").split(",") if word.strip()]


def _closest(group: str, node: Mapping[str, Any]) -> str | None:
    """The file of ``group`` that a run with the options ``node`` has chosen; None if it can be none of them."""
    scores: dict[str, tuple[int, bool, int]] = {}
    for choice in group_choices(group):
        file = shipped(group, choice)
        if file.get("_target_") == node.get("_target_"):
            same = [key for key in map(str, file) if _raw(file, key) == node.get(key)]
            # That something is not said is said of every other choice, too.
            score = sum(_IDENTITY.get(key, 1) for key in same if node.get(key) is not None)
            # Of two that fit as well, the one that says less that does not.
            scores[choice] = (score, choice == defaults().get(group), len(same) - len(file))
    return max(scores, key=lambda choice: scores[choice], default=None)


def _raw(file: DictConfig, key: str) -> Any:
    """A value of a file as it stands there, in plain types."""
    plain = OmegaConf.to_container(file)
    assert isinstance(plain, dict)
    value = plain.get(key)
    return list(value) if isinstance(value, tuple) else value


def _take_group(group: str, node: Any, said: Mapping[str, str], taken: Inherited) -> None:
    if not isinstance(node, dict):
        return
    choice = _closest(group, node)
    target = node.get("_target_")
    if choice is None and user_code.is_reference(target) and group not in said and f"{group}._target_" not in said:
        # A name of code: what it names is run only if its file was typed.
        choice = next((c for c in group_choices(group) if set(map(str, shipped(group, c))) == set(node)), None)
        if choice is not None:
            taken.words.append(quoting.quoted(f"{group}._target_", str(target)))
    if choice is None:
        taken.left_out.append(f"{group}={str(node.get('_target_'))[:80]}")
        return
    if group not in said:
        taken.words.append(f"{group}={choice}")
    elif said[group] != choice:
        if said[group] not in group_choices(group):  # several of them, for a sweep
            return
        before, now = shipped(group, choice), shipped(group, said[group])
        node = {key: node[key] for key in node if key in before and key in now and _raw(before, key) == _raw(now, key)}
    _take(node, f"{group}.", said, taken)
    if group == "optimizer":
        _take_own(node.get("options"), said, taken)


def _take_own(options: Any, said: Mapping[str, str], taken: Inherited) -> None:
    """What the class of an optimizer takes beyond the options of its file: numbers and switches only."""
    for name, value in options.items() if isinstance(options, dict) else ():
        if f"optimizer.{name}" in said or f"optimizer.options.{name}" in said:
            continue
        word = None if isinstance(value, str) else _word(f"+optimizer.options.{name}", value)
        if word and re.fullmatch(r"[a-z]\w*", name):
            taken.words.append(word)
        else:
            taken.left_out.append(f"optimizer.{name}")


_PLACE = {
    "path": ("path",),
    "bin": ("path", "val_path", "dtype"),
    "hf": ("name", "dataset", "config_name", "split", "revision"),
}
"""Where a corpus of the user's own is found: the options of its kind."""


def _take_corpus(node: Any, said: Mapping[str, str], taken: Inherited) -> None:
    """The corpus by its name, what makes documents of it, and the place of a text of the user's own or the name of a
    dataset; never an address or what it should hash to."""
    choice = _closest("corpus", node) if isinstance(node, dict) else None
    if choice is None or said.get("corpus", choice) != choice:
        return
    if "corpus" not in said:
        taken.words.append(f"corpus={choice}")
    file = shipped("corpus", choice)
    as_they_are = {"document_separator", "column", *_PLACE.get(str(_raw(file, "source")), ())}
    for key, value in node.items():
        if value == (_raw(file, key) if key in file else getattr(CorpusConfig, key, None)) or f"corpus.{key}" in said:
            continue
        # A name of code: what it names is run only if its file was typed.
        named = key == "source" and user_code.is_reference(value)
        harmless = key == "name" or (key == "path" and _raw(file, "source") == "bundled")
        if (word := _of_corpus(key, value)) is not None:
            taken.words.append(word)
            continue
        if isinstance(value, str) and (named or key in as_they_are or (harmless and _WORD.fullmatch(value))):
            taken.words.append(quoting.quoted(f"corpus.{key}", value))
        else:
            taken.left_out.append(f"corpus.{key}")


def _of_corpus(key: str, value: Any) -> str | None:
    """An option that says how much of a text is taken, which text a grammar writes, or what a mixture is made of:
    names, paths of texts, numbers."""
    if key in ("seed", "documents", "max_documents") and type(value) is int:
        return f"corpus.{key}={value}"
    if key == "weights" and isinstance(value, list) and all(isinstance(one, int | float) for one in value):
        return f"corpus.weights={changed_options.for_hydra(value)}"
    if key == "parts" and isinstance(value, list):
        plain = [one if isinstance(one, str) else _plain_part(one) for one in value]
        return f"corpus.parts={changed_options.for_hydra(plain)}" if None not in plain else None
    return None


def _plain_part(part: Any) -> dict[str, Any] | None:
    known = ("corpus", *OWN_OPTIONS)
    if isinstance(part, dict) and all(key in known and isinstance(v, str | int | None) for key, v in part.items()):
        return part
    return None


def _take_objects(group: str, nodes: Any, said: Mapping[str, str], taken: Inherited) -> None:
    """Loggers or callbacks: those that a file describes, with the plain values that differ from it."""
    if not isinstance(nodes, dict):
        return
    files = {choice: shipped(group, choice) for choice in group_choices(group)}
    chosen = _listed(said[group]) if group in said else [c for c, file in files.items() if file and _is_in(file, nodes)]
    if group not in said:
        empty = next((choice for choice, file in files.items() if not file), "none")
        taken.words.append(f"{group}=[{','.join(chosen)}]" if len(chosen) > 1 else f"{group}={(*chosen, empty)[0]}")
    described = {str(name): node for choice in chosen if choice in files for name, node in files[choice].items()}
    for name, node in nodes.items():
        if name in described and isinstance(node, dict):
            _take_object(f"{group}.{name}", node, described[name], said, taken)
        elif group not in said and not any(key.startswith(f"{group}.{name}") for key in said):
            taken.left_out.append(f"{group}.{name}")


def _take_metrics(nodes: Any, said: Mapping[str, str], taken: Inherited) -> None:
    """Metrics that are named as code: what it names is run only if its file was typed."""
    for name, node in nodes.items() if isinstance(nodes, dict) else ():
        key = f"metrics.{name}"
        if any(one == key or one.startswith(f"{key}.") for one in said):
            continue
        if user_code.is_reference(node) and re.fullmatch(r"\w+", name):
            taken.words.append(f"+{quoting.quoted(key, node)}")
        else:
            taken.left_out.append(key)


def _is_in(file: DictConfig, nodes: Mapping[str, Any]) -> bool:
    """Are the objects of ``file`` among ``nodes``? By name and class; what is built is what the file says."""

    def name_of_class(target: Any) -> str:
        return str(target).rpartition(".")[2]

    return all(
        isinstance(nodes.get(name), dict)
        and name_of_class(nodes[name].get("_target_")) == name_of_class(file[name]["_target_"])
        for name in map(str, file)
    )


def _take_object(
    prefix: str, node: Mapping[str, Any], file: DictConfig, said: Mapping[str, str], taken: Inherited
) -> None:
    for key, value in node.items():
        name, now = f"{prefix}.{key}", _raw(file, key)
        if key.startswith("_") or name in said or value == now:
            continue
        if isinstance(now, str) and "${" in now:  # a place in the run's folder, which is another one now
            if _is_elsewhere(value):
                taken.left_out.append(name)
        elif (
            re.fullmatch(r"\w+", key)
            and (word := _word(name, value))
            and (not isinstance(value, str) or _WORD.fullmatch(value) or not value)
        ):
            taken.words.append(word if key in file else f"+{word}")
        else:
            taken.left_out.append(name)


def _is_elsewhere(value: Any) -> bool:
    """Is this a folder that somebody has chosen, outside any run?"""
    folder = Path(str(value))
    return folder.is_dir() and not any((place / STATE_FILE).exists() for place in (folder, folder.parent))


def _take(values: Any, prefix: str, said: Mapping[str, str], taken: Inherited) -> None:
    if not isinstance(values, dict):
        return
    known = set(option_names())
    for name, value in values.items():
        key = f"{prefix}{name}"
        if key not in _OF_TOKENIZER and key not in said and key in known and (word := _word(key, value)):
            taken.words.append(word)


def _word(key: str, value: Any) -> str | None:
    """``key=value`` in Hydra's grammar; None for what is no plain value."""
    if isinstance(value, bool) or value is None:
        return f"{key}={str(value).lower() if value is not None else 'null'}"
    if isinstance(value, int | float):
        return f"{key}={value!r}"
    if isinstance(value, list) and all(isinstance(item, int | float) for item in value):
        return f"{key}=[{','.join(map(repr, value))}]"
    return quoting.quoted(key, value) if isinstance(value, str) else None
