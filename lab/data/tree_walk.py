"""A walk through a folder of texts, with the same answer on every machine.

Linked folders are followed, each real file is taken once and under its own name before that of a link, loops end, the
order is that of the names, and what cannot be looked into is an error instead of a gap. What programs left beside the
texts, this lab first of all, is left out and told.
"""

import os
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from lab.errors import LabError
from lab.files.run_files import (
    CHECKPOINTS_FOLDER,
    COMMANDS_FOLDER,
    CONFIG_FILE,
    EVENTS_FILE,
    RESULTS_FILE,
    STATE_FILE,
    YARDSTICKS_FILE,
)

_INSTALLED = {"node_modules", "bower_components", "site-packages", "dist-packages"}
_BUILT = {"build", "dist"}
_PROJECT = {"pyproject.toml", "setup.py", "setup.cfg", "package.json"}
_RUN = {CONFIG_FILE, EVENTS_FILE, STATE_FILE, RESULTS_FILE, YARDSTICKS_FILE}
_EXPORT = {"model.safetensors", "model.safetensors.index.json", "tokenizer.json", "merges.txt", "vocab.json"}

_OWN = {
    "runs": _RUN | {CHECKPOINTS_FOLDER, COMMANDS_FOLDER, "csv", "mlruns", "tensorboard", "wandb"},
    "exported models": _EXPORT | {"config.json", "special_tokens_map.json", "tokenizer_config.json", "README.md"},
    "figures of lab.inspect": {"internals.json"},
}
"""What is left out of a folder that was named outright although it is one of these: only what makes it one."""

_ENDINGS = "other endings"
_MOST_ENDINGS = 6  # told, the most frequent ones

_Key = tuple[tuple[str, ...], ...]
_Identity = tuple[object, ...]


@dataclass
class Found:
    """The files that a path names, in their order, and what lies there and is not among them."""

    files: list[Path] = field(default_factory=list)
    n_bytes: int = 0
    """Their size on disk."""
    left_out: dict[str, int] = field(default_factory=dict)
    """How many files and folders were left out, by reason. What is in a folder that was left out is not counted."""
    examples: dict[str, str] = field(default_factory=dict)
    """The first of them."""
    endings: Counter[str] = field(default_factory=Counter)
    """How the names of those files end that were left out for it."""

    def leave_out(self, reason: str, name: Iterable[str]) -> None:
        """Counts one more."""
        self.left_out[reason] = self.left_out.get(reason, 0) + 1
        self.examples.setdefault(reason, "/".join(name))

    def leave_out_ending(self, name: Sequence[str]) -> None:
        """Counts a file that does not end as a text does."""
        self.leave_out(_ENDINGS, name)
        self.endings["".join(Path(name[-1].lower()).suffixes[-2:]) or "no ending"] += 1

    def told(self) -> str:
        """What was left out, in words; empty if nothing was."""
        more = {reason: ", ..." if n > 1 else "" for reason, n in self.left_out.items()}
        kinds = dict.fromkeys(self.left_out, "")
        if self.endings:
            most = self.endings.most_common(_MOST_ENDINGS)
            others = ["others"] * (len(self.endings) > len(most))
            kinds[_ENDINGS] = ", ".join([f"{n:,} {ending}" for ending, n in most] + others) + "; "
        return "; ".join(
            f"{reason}: {n:,} ({kinds[reason]}{self.examples[reason]}{more[reason]})"
            for reason, n in self.left_out.items()
        )


def walk(
    root: Path,
    pattern: Sequence[str],
    suffixes: Sequence[str] | None = None,
    caches: Iterable[Path] = (),
    unwanted: Iterable[str] = (),
) -> Found:
    """The files below ``root`` that match ``pattern``, the parts of a glob pattern, and have one of ``suffixes``.

    ``caches`` and things with a name in ``unwanted`` are left out, besides what is left out everywhere.

    Raises:
        LabError: if something on the way cannot be read.
    """
    return _Walk(root, _Pattern(pattern), suffixes, caches, frozenset(unwanted)).found()


@dataclass(frozen=True)
class _Place:
    """Something on the way: where it is, its name below the root, and which parts of the pattern may come next."""

    path: Path
    parts: tuple[str, ...]
    states: frozenset[int]

    @property
    def key(self) -> _Key:
        """Its place in the order. By letters, not by bytes: some systems take letters with their accents apart."""
        return tuple(unicodedata.normalize("NFC", part) for part in self.parts), self.parts


class _Pattern:
    """A glob pattern, part by part: ``**`` is any number of folders."""

    def __init__(self, parts: Sequence[str]) -> None:
        self.parts = parts
        self.start = self._with_skipped({0})

    def step(self, states: Iterable[int], name: str) -> frozenset[int]:
        """Which parts may come after ``name``, where one of ``states`` was to come."""
        after = set()
        for state in states:
            if state < len(self.parts):
                part = self.parts[state]
                if part == "**":
                    after.add(state)
                elif fnmatchcase(name, part):
                    after.add(state + 1)
        return self._with_skipped(after)

    def _with_skipped(self, states: set[int]) -> frozenset[int]:
        for state in sorted(states):
            while state < len(self.parts) and self.parts[state] == "**":
                states.add(state := state + 1)
        return frozenset(states)

    def asks_for_hidden(self, states: Iterable[int], name: str) -> bool:
        """Does the pattern say outright that the name begins with a dot?"""
        parts = [self.parts[state] for state in states if state < len(self.parts)]
        return any(part.startswith(".") and fnmatchcase(name, part) for part in parts)

    def ends(self, states: Iterable[int]) -> bool:
        """May a file stand here?"""
        return len(self.parts) in states

    def below(self, states: Iterable[int]) -> frozenset[int]:
        """Those of ``states`` that something below a folder may come to; empty if nothing may stand there."""
        return frozenset(state for state in states if state < len(self.parts))


class _Walk:
    """Looks through a folder, real names first: a link counts only for what has no name of its own there."""

    def __init__(
        self,
        root: Path,
        pattern: _Pattern,
        suffixes: Sequence[str] | None,
        caches: Iterable[Path],
        unwanted: frozenset[str],
    ) -> None:
        self.root, self.pattern, self.suffixes, self.unwanted = root, pattern, suffixes, unwanted
        self.result = Found()
        self.files: dict[_Identity, tuple[_Place, int]] = {}
        self.links: list[_Place] = []
        # A link to a folder that the root lies in would bring the root in once more, and its neighbours.
        self.above = {_identity(folder) for folder in root.resolve().parents}
        self.caches = {_identity(folder) for folder in caches if folder.is_dir()} - self.above
        self.seen: set[tuple[_Identity, frozenset[int]]] = set()

    def found(self) -> Found:
        """Everything, in its order."""
        self._folder(_Place(self.root, (), self.pattern.start))
        while self.links:
            self.links.sort(key=lambda link: link.key, reverse=True)
            self._link(self.links.pop())
        in_order = sorted(self.files.values(), key=lambda entry: entry[0].key)
        self.result.files = [place.path for place, _ in in_order]
        self.result.n_bytes = sum(size for _, size in in_order)
        return self.result

    def _folder(self, start: _Place) -> None:
        """Goes through a folder and all real folders below it."""
        waiting = [start]
        while waiting:
            place = waiting.pop()
            identity = _identity(place.path)
            once = identity, self.pattern.below(place.states)
            if once in self.seen or identity in self.above:
                self.result.leave_out("second names", place.parts)  # a loop ends here, too
                continue
            self.seen.add(once)
            entries = _entries(place.path)
            kind = _kind({entry.name for entry in entries})
            if place.parts and (kind or identity in self.caches):
                self.result.leave_out(kind or "caches", place.parts)
                continue
            waiting += reversed(list(self._below(place, entries, _OWN.get(kind or "", set()))))

    def _below(self, place: _Place, entries: "Sequence[os.DirEntry[str]]", own: set[str]) -> Iterator[_Place]:
        """Notes the files and links in a folder; the folders in it are for the caller."""
        names = {entry.name for entry in entries}
        for entry in entries:
            there = _Place(
                place.path / entry.name, (*place.parts, entry.name), self.pattern.step(place.states, entry.name)
            )
            if not there.states:
                continue
            is_link = entry.is_symlink()
            is_folder = entry.is_dir(follow_symlinks=False)
            if not (self.pattern.below(there.states) if is_folder else is_link or self._is_wanted(there)):
                continue
            if reason := self._unwanted(entry.name, place, names, own):
                self.result.leave_out(reason, there.parts)
            elif is_link:
                self.links.append(there)
            elif is_folder:
                yield there
            elif entry.is_file(follow_symlinks=False):
                self._file(there)
            else:
                self.result.leave_out("no plain files", there.parts)

    def _unwanted(self, name: str, place: _Place, neighbours: set[str], own: set[str]) -> str | None:
        """Why something of this name is left out, if it is."""
        if name.startswith(".") and not self.pattern.asks_for_hidden(place.states, name):
            return "hidden"
        if name in own:
            return _kind(neighbours)
        if name in _INSTALLED or name.endswith((".egg-info", ".dist-info")):
            return "installed packages"
        if name == "__pycache__":
            return "caches"
        if name in _BUILT and neighbours & _PROJECT:
            return "built packages"
        return "unwanted" if name in self.unwanted else None

    def _link(self, place: _Place) -> None:
        try:
            about = place.path.stat()
        except PermissionError as error:
            raise unreadable(place.path, error) from error
        except OSError:  # gone, or a link to itself
            self.result.leave_out("links that lead nowhere", place.parts)
            return
        if stat.S_ISDIR(about.st_mode):
            if self.pattern.below(place.states):
                self._folder(place)
        elif self._is_wanted(place):
            if stat.S_ISREG(about.st_mode):
                self._file(place)
            else:
                self.result.leave_out("no plain files", place.parts)

    def _is_wanted(self, place: _Place) -> bool:
        """Is it what the path names, if it is a file?"""
        return self.pattern.ends(place.states)

    def _file(self, place: _Place) -> None:
        if self.suffixes is not None and not place.path.name.lower().endswith(tuple(self.suffixes)):
            self.result.leave_out_ending(place.parts)
            return
        try:
            about = place.path.stat()
        except OSError as error:
            raise unreadable(place.path, error) from error
        identity = _identity(place.path, about)
        if identity in self.files:
            self.result.leave_out("second names", place.parts)
        else:
            self.files[identity] = place, about.st_size


def _entries(folder: Path) -> "list[os.DirEntry[str]]":
    """What is in a folder, by name."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise unreadable(folder, error) from error


def _kind(names: set[str]) -> str | None:
    """What a folder with these names in it is, if no folder of texts."""
    if names & {"pyvenv.cfg", "conda-meta"}:
        return "virtual environments"
    if "CACHEDIR.TAG" in names:  # the sign that tools have agreed on, https://bford.info/cachedir
        return "caches"
    if ".hydra" in names or len(names & _RUN) > 1 or names == {".lock"}:  # the last is one that is about to begin
        return "runs"
    if "tokenizer_config.json" in names or ("config.json" in names and names & _EXPORT):
        return "exported models"
    return "figures of lab.inspect" if "internals.json" in names else None


def _identity(path: Path, about: os.stat_result | None = None) -> _Identity:
    """The same for two names of one file or folder."""
    try:
        about = about or path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    return (about.st_dev, about.st_ino) if about.st_ino else (os.path.realpath(path),)


def unreadable(path: Path, error: OSError) -> LabError:
    """The sentence for something that is there and cannot be looked into."""
    return LabError(
        f"corpus.path: {path} cannot be read ({error.strerror}): make it readable, or name the texts without it"
    )
