"""What the command lines have in common: options typed as they are meant, and mistakes told in one sentence."""

import difflib
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import setup_globals
from hydra.errors import HydraException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from lab import classic, command
from lab.config import CONF_FOLDER, OptimizerConfig, register
from lab.errors import LabError, shown
from lab.paths import settle_variables, typed_path

LITERAL_OPTIONS = ("corpus.document_separator", "corpus.path", "init_from", "resume", "sample.prompt")
"""Options whose value is a path or a text: taken as typed, whatever is in it."""

_HYDRAS_FOLDERS = ("hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir")
_SAVE_DIR = re.compile(r"logger\.\w+\.save_dir")


def quote_literals(arguments: Sequence[str]) -> list[str]:
    """The arguments with paths and texts quoted for Hydra's override grammar: the values of ``LITERAL_OPTIONS``, and
    the folders that Hydra or a logger makes.

    ``corpus.path=My notes (1), final.txt`` would otherwise be a syntax error, ``resume=123`` a number, and a comma the
    start of a sweep. ``null`` stays what it means, where it means something.

    Raises:
        LabError: if a folder has no name.
    """
    return [_quote(argument) for argument in arguments]


def _quote(argument: str) -> str:
    option, equals, value = argument.partition("=")
    name = option.lstrip("+")
    if not equals or (value == "null" and name not in _HYDRAS_FOLDERS):
        return argument
    if name in LITERAL_OPTIONS:
        return quoted(option, value)
    if name in _HYDRAS_FOLDERS or _SAVE_DIR.fullmatch(name):
        return _quoted_folder(option, value)
    return argument


def _quoted_folder(option: str, value: str) -> str:
    """As ``quoted``, for a folder that is opened by somebody who knows no ``~``. Hydra's own interpolations, such as
    ``${now:%Y-%m-%d}`` or ``${optimizer.lr}``, still are what they are."""
    if not value:
        raise LabError(f"{option}= is empty: give a folder")
    for found in _INTERPOLATION.finditer(value):
        if found[1] or not _is_hydras(found):
            raise LabError(
                f"{option}={value}: Hydra makes no folder with ${{ in its name, and '{found[0]}' begins none of its "
                "interpolations: choose another name"
            )
    first = _INTERPOLATION.match(value)
    if not option.endswith("subdir") and not (first and _is_hydras(first)):
        # A logger looks for its folder from where the run stands, which hydra.job.chdir=true moves.
        value = str(typed_path(value, Path.cwd() if option.endswith("save_dir") else Path()))
    if value == "???":  # OmegaConf's sign for a value that is missing
        value = "./???"
    return quoted(option, value, _is_hydras)


_INTERPOLATION = re.compile(r"(\\*)(\$\{(?:([\w.]+)(:|\}))?)")


def _is_hydras(found: re.Match[str]) -> bool:
    """Is this the beginning of ``${option}``, or of ``${function:...}`` with a function of Hydra's or of our own?"""
    setup_globals()  # Hydra's are registered only when it starts
    _, _, name, end = found.groups()
    return OmegaConf.has_resolver(name) if end == ":" else name in options() and name not in groups()


def quoted(option: str, value: str, keep: Callable[[re.Match[str]], bool] = lambda _: False) -> str:
    """``option='value'`` in Hydra's override grammar, so that exactly ``value`` arrives; but for interpolations to
    ``keep``."""
    # Within quotes, Hydra's grammar knows an escaped quote, and backslashes count only in front of one (or of the
    # closing one); OmegaConf afterwards takes ${...} for an interpolation unless a backslash stands before it.
    value = _INTERPOLATION.sub(lambda found: found[0] if keep(found) else found[1] * 2 + "\\" + found[2], value)
    value = re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + (r"\'" if found[2] else ""), value)
    return f"{option}='{value}'"


def compose_config(overrides: Sequence[str]) -> DictConfig:
    """The training configuration under ``overrides``, composed without running anything.

    Raises:
        LabError: if an override makes no sense.
    """
    return compose_quoted(quote_literals(overrides))


def compose_quoted(overrides: Sequence[str]) -> DictConfig:
    """As ``compose_config``, for overrides that are Hydra's grammar already."""
    register()
    # Hydra keeps one configuration per process; a caller may be inside a run already.
    with _explained(overrides), _own_hydra(), initialize_config_dir(str(CONF_FOLDER), version_base="1.3"):
        return compose("train", overrides=list(overrides))


@contextmanager
def _own_hydra() -> Iterator[None]:
    outer = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = outer


def run(story: Callable[[], None], help_text: Callable[[], str] | None = None, output_matters: bool = True) -> None:
    """``command.run`` for commands whose options are Hydra's: the mistakes that it finds are told in one sentence."""
    # Hydra would print its own account of an exception, and hide the traceback of a real bug.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")

    def explained() -> None:
        settle_variables()
        with _explained(sys.argv[1:]):
            story()

    command.run(explained, help_text, output_matters)


@contextmanager
def _explained(overrides: Sequence[str]) -> Iterator[None]:
    """Turns Hydra's and OmegaConf's exceptions into a ``LabError`` of one sentence."""
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        raise LabError(explain(error, overrides)) from error


def explain(error: Exception, overrides: Sequence[str]) -> str:
    """What ``error`` means for somebody who typed ``overrides``: which option is wrong, and the nearest right one."""
    # Hydra wraps OmegaConf's exception, and the inner one knows the option.
    chain: list[BaseException] = [error]
    while (inner := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(inner)
    text = "\n".join(str(link) for link in chain)

    if found := re.search(r"Could not override '([^']+)'", text) or re.search(r"Key '([^']+)' not in ", text):
        key = found.group(1)
        for link in chain:
            key = getattr(link, "full_key", None) or key
        if not re.search(
            r"Value .* (could not be converted|is not a valid)|Invalid value|Cannot (assign|convert)", text
        ):
            return _unknown(key, overrides)
    if found := re.search(
        r"Could not (?:find|load) '(hydra/\w+|\w+)/([^']*)'(?:\s*Available options in '.*':((?:\n\t.+)+))?", text
    ):
        group, choice, listed = found.groups()
        known = choices(group) if group in groups() else (listed or "").split()
        own = "; a text of your own is corpus=text corpus.path=FILE" if group == "corpus" else ""
        near = _nearest(choice, known) if re.fullmatch(r"\w*", choice) else ""
        return f"{group}={shown(choice)} is unknown: choose one of {', '.join(known)}{near or own}"
    if found := re.search(r"Could not append to config. An item is already at '(.*)'", text):
        return f"the option {found.group(1)} is there already: leave out the + in front of it"
    if found := re.search(r"Ambiguous value for argument '(.*)'", text):
        return (
            f"{shown(found.group(1))} has several values: with -m, each is a run of its own; [A,B] is one list, and a "
            "decimal number has a point, not a comma"
        )
    key = next((str(k) for link in chain if (k := getattr(link, "full_key", None))), "")
    if found := re.search(r"Value '(.*)' of type '\w+' could not be converted to (\w+)", text, re.DOTALL):
        kinds = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false"}
        return f"{key}={found.group(1)} does not fit: it must be {kinds.get(found.group(2), found.group(2))}"
    if re.search(r"is not a ListConfig, list or tuple", text):
        return f"{_typed(key, overrides)} does not fit: it must be a list, such as {key}=[0.9,0.95]"
    if re.search(r"is not a subclass of|Invalid type assigned|is not a dict", text):
        return f"{_typed(key, overrides)} does not fit: {key} is a group of options, such as {_one_of(key)}="
    if found := re.search(r"field '.*' is not Optional", text):
        return f"{_typed(key, overrides)} does not fit: {key} needs a value; leave it out for its default"
    if found := re.search(r"Value '(.*)' is not a valid bool", text):
        return f"{key}={found.group(1)} does not fit: it must be true or false"
    if found := re.search(r"Invalid value '(.*)', expected one of \[(.*)\]", text):
        return f"{key}={found.group(1)} does not fit: choose one of {found.group(2)}"
    if isinstance(error, OverrideParseException):
        typed = shown(str(error.override))
        return f"'{typed}' cannot be read: {_as_text(str(error.override))}"
    return " ".join(text.splitlines()[0].split())


def _as_text(override: str) -> str:
    """How to type a value in which Hydra sees more than a text."""
    option, equals, value = override.partition("=")
    if not equals or not re.fullmatch(r"[\w.+/@]+", option):
        return "write option=value"
    word = quoted(option, value)
    if not word.isprintable() or len(word) > 80:
        word = f"{option}='TEXT'"
    # In double quotes it is easier to read, if the shell finds nothing to do in them.
    typed = f'"{word}"' if not set(word) & set('"$`\\!') else shlex.quote(word)
    return f"if it is meant as a text, quote it for Hydra and for the shell, as {typed}"


def _typed(key: str, overrides: Sequence[str]) -> str:
    """The word that gave ``key`` its value, as it was typed; of several the last one, which counts."""
    return shown(next((o for o in reversed(overrides) if o.lstrip("+~").split("=")[0] == key), key))


def _one_of(group: str) -> str:
    return next((name for name in options() if name.startswith(f"{group}.")), group)


def _unknown(key: str, overrides: Sequence[str]) -> str:
    typed = _typed(key, overrides)
    if key in options():
        group = key.split(".")[0]
        return f"there is no option {key} with the {group} that is chosen here (in '{typed}')"
    if known := classic.option(key):
        return f"there is no option {key} (in '{typed}'); did you mean {known}?"
    return f"there is no option {shown(key)} (in '{typed}'){_nearest(key, options()) or '; --help lists them all'}"


def nearest(word: str, known: Sequence[str]) -> str | None:
    """What somebody who typed ``word`` may have meant."""
    word = word.lower()
    whole = {name.lower(): name for name in known}
    last = {name.rpartition(".")[2]: name for name in reversed(known)}
    own = word.rpartition(".")[2]
    # What is nearly a whole name comes first, then the right option under the wrong group (`lr` for `optimizer.lr`),
    # a part of one (`steps`), and what is a little like one.
    near = [whole[name] for name in difflib.get_close_matches(word, whole, n=1, cutoff=0.75)]
    near += [last[own]] if own in last else []
    near += [last[name] for name in sorted(last, key=len) if len(own) > 3 and own in name]
    near += [last[name] for name in difflib.get_close_matches(own, last, n=1, cutoff=0.6)]
    near += [whole[name] for name in difflib.get_close_matches(word, whole, n=1, cutoff=0.6)]
    return near[0] if near else None


def _nearest(word: str, known: Sequence[str]) -> str:
    near = nearest(word, known)
    return f"; did you mean {near}?" if near else ""


def choices(group: str) -> list[str]:
    """The files of a configuration group."""
    return sorted(file.stem for file in (CONF_FOLDER / group).glob("*.yaml"))


def choice(group: str) -> str | None:
    """The file of a configuration group that is taken if none is typed."""
    defaults = OmegaConf.load(CONF_FOLDER / "train.yaml").defaults
    return next((entry[group] for entry in defaults if not isinstance(entry, str) and group in entry), None)


def groups() -> list[str]:
    """The configuration groups: the folders of ``conf/``."""
    return sorted(folder.name for folder in CONF_FOLDER.iterdir() if folder.is_dir())


@cache
def shipped(group: str, choice: str) -> DictConfig:
    """What ``conf/GROUP/CHOICE.yaml`` says with all that it stands on; interpolations stay as they are.

    Read without Hydra, which takes a hundred times as long to compose a file, and there are two dozen of them.
    """
    file = CONF_FOLDER / group / f"{choice}.yaml"
    if not file.is_file():  # a schema, which lies in Hydra's store
        register()
        return OmegaConf.structured(ConfigStore.instance().load(f"{group}/{choice}.yaml").node)
    own = OmegaConf.load(file)
    assert isinstance(own, DictConfig)
    below = [shipped(group, name) for name in own.pop("defaults", []) if isinstance(name, str) and name != "_self_"]
    return DictConfig(OmegaConf.merge(*below, own)) if below else own


@cache
def defaults() -> dict[str, str | None]:
    """Which file of each group is chosen unless another is."""
    root = OmegaConf.load(CONF_FOLDER / "train.yaml")
    assert isinstance(root, DictConfig)
    listed = root["defaults"]
    return {str(group): choice for entry in listed if isinstance(entry, DictConfig) for group, choice in entry.items()}


def optimizers() -> dict[str, type]:
    """The files of conf/optimizer, each with the dataclass of its options."""
    found = {}
    for choice in choices("optimizer"):
        schema = OmegaConf.get_type(shipped("optimizer", choice))
        # A file that names no schema of its own is laid over the one that all optimizers share.
        found[choice] = schema if schema is not None and issubclass(schema, OptimizerConfig) else OptimizerConfig
    return found


@cache
def options() -> list[str]:
    """Every option that can be given on the command line, by its full name; also one that only some optimizers have."""
    names = groups()

    def walk(node: DictConfig, prefix: str) -> None:
        for key in map(str, node):
            child = node._get_node(key)
            if isinstance(child, DictConfig):
                walk(child, f"{prefix}{key}.")
            elif not key.startswith("_"):
                names.append(f"{prefix}{key}")

    walk(compose_quoted(["logger=none"]), "")
    for choice in choices("optimizer"):
        walk(shipped("optimizer", choice), "optimizer.")
    return list(dict.fromkeys(names))


def run_folder() -> str:
    """The folder of the run in progress, as Hydra has made it; where a configuration is only looked at, ``outputs``."""
    if not HydraConfig.initialized() or OmegaConf.is_missing(HydraConfig.get().runtime, "output_dir"):
        return "outputs"
    return HydraConfig.get().runtime.output_dir


@cache
def unused_folder(wanted: str) -> str:
    """As ``make_unused``, for Hydra. The cache makes it one answer a process, because Hydra asks several times."""
    try:
        return str(make_unused(Path(wanted)))
    except OSError as error:
        raise cannot_be_made(Path(wanted), error) from error


def make_unused(wanted: Path) -> Path:
    """``wanted``, made now; or, if somebody has it already, ``wanted-2``, ``wanted-3`` and so on.

    Two runs that start in the same second ask for the same name. Making a folder is atomic: only one of them gets it.

    Raises:
        OSError: if it cannot be made.
    """
    number = 1
    while True:
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
        else:
            return folder


def cannot_be_made(folder: Path, error: OSError) -> LabError:
    """The sentence for a run folder that is no use."""
    return LabError(
        f"the output folder {folder.absolute()} cannot be made ({error.strerror}): "
        "go to a folder where you may write, or give hydra.run.dir=FOLDER"
    )


OmegaConf.register_new_resolver("unused_folder", unused_folder, replace=True)
OmegaConf.register_new_resolver("run_folder", run_folder, replace=True)
