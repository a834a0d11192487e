"""Models by their name on Hugging Face's hub: out of its cache on this machine, or fetched into it."""

import re
import sys
from pathlib import Path

from lab.errors import LabError
from lab.interchange.huggingface import CONFIG_FILE, INDEX_FILE, WEIGHTS_FILE, read_json

GPT2 = {
    "gpt2": "openai-community/gpt2",
    "gpt2-medium": "openai-community/gpt2-medium",
    "gpt2-large": "openai-community/gpt2-large",
    "gpt2-xl": "openai-community/gpt2-xl",
    "distilgpt2": "distilbert/distilgpt2",
}
"""The names everybody uses, and the full ones, under which another program may have cached the same model."""

_PATIENCE = 10
"""Seconds until a server that says nothing counts as not reachable."""

_FULL_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_FILES = (".ckpt", ".safetensors", ".bin", ".pt", ".json")

# Safetensors only: whatever else lies there under the same name is neither fetched nor opened.
_WANTED = [
    CONFIG_FILE,
    WEIGHTS_FILE,
    INDEX_FILE,
    "model-*.safetensors",
    "tokenizer.json",
    "vocab.json",
    "added_tokens.json",
    "tokenizer_config.json",  # which token ends a text
]


def is_name(wanted: str, start_folder: Path) -> bool:
    """Could ``wanted``, which is no path that exists, be the name of a model?

    ``owner/name`` could also be a mistyped path. It is taken for one if there is a folder ``owner`` here, or if it
    ends like a file.
    """
    if wanted in GPT2:
        return True
    owner = start_folder / wanted.partition("/")[0]
    return bool(_FULL_NAME.fullmatch(wanted)) and not wanted.endswith(_FILES) and not owner.exists()


def find(name: str, option: str = "checkpoint") -> Path:
    """The folder of the model in the hub's cache, where it is fetched to if it is not there yet.

    What is in the cache is used without asking the network: a published model does not change, and a run should not
    depend on a server. The environment variables of huggingface_hub apply: ``HF_HOME`` moves the cache,
    ``HF_HUB_OFFLINE=1`` forbids the network.

    Raises:
        LabError: if the model is neither in the cache nor to be had.
    """
    try:
        from huggingface_hub import HfApi, constants, snapshot_download
        from huggingface_hub.utils import disable_progress_bars
    except ImportError as error:
        raise LabError(
            f"{option}={name} is fetched by a package that is missing: `pip install huggingface_hub`"
        ) from error
    if (folder := at_hand(name)) is not None:
        return folder
    advice = "give the path of a Hugging Face folder instead, or fetch it where there is a network and bring the cache"
    if constants.HF_HUB_OFFLINE:
        raise LabError(
            f"{option}={name} is not in the cache {constants.HF_HUB_CACHE}, and HF_HUB_OFFLINE is set: {advice}"
        )
    if not sys.stderr.isatty():
        disable_progress_bars()
    print(f"fetching {name} into {constants.HF_HUB_CACHE}", file=sys.stderr)
    try:
        HfApi().model_info(name, timeout=_PATIENCE)  # the download itself would wait for ever for a silent server
        return Path(snapshot_download(name, allow_patterns=_WANTED))
    except Exception as error:  # its own, those of the client beneath it, and those of the disk
        raise LabError(
            f"{option}={name} is not in the cache {constants.HF_HUB_CACHE} and {_why(error)}: {advice}"
        ) from error


def at_hand(name: str) -> Path | None:
    """The folder of the model in the hub's cache, without asking the network; None if it is not there, or not whole."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        return None
    for known_as in dict.fromkeys([name, GPT2.get(name, name)]):
        try:
            folder = Path(snapshot_download(known_as, local_files_only=True, allow_patterns=_WANTED))
        except (OSError, ValueError):
            continue
        if _is_complete(folder):
            return folder
    return None


def _is_complete(folder: Path) -> bool:
    """Has the cache all the files of a model? Another program may have wanted its config only."""
    if not (folder / CONFIG_FILE).is_file():
        return False
    if (folder / WEIGHTS_FILE).is_file():
        return True
    try:
        return all((folder / str(file)).is_file() for file in read_json(folder / INDEX_FILE)["weight_map"].values())
    except (LabError, KeyError, AttributeError):
        return False


def _why(error: Exception) -> str:
    """The reason why nothing was fetched, in a few words."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    if isinstance(error, GatedRepoError):
        return "its owner wants to be asked first (log in with `hf auth login`)"
    if isinstance(error, RepositoryNotFoundError):
        return "the hub knows no model of that name that you may see"
    innermost: BaseException = error
    while innermost.__cause__ is not None:
        innermost = innermost.__cause__
    lines = str(innermost).splitlines()
    return f"could not be fetched ({lines[0] if lines else type(innermost).__name__})"
