"""Corpora from elsewhere: fetched at first use, checked by their SHA-256, kept for the next time."""

import hashlib
import logging
import sys
from pathlib import Path

import pooch

from lab.data import stamps
from lab.errors import LabError
from lab.files import paths
from lab.files.validation import parts, text

FOLDER_VARIABLE = "LAB_CORPORA"
"""Environment variable with the folder of fetched files. A file laid there by hand serves a machine without network."""


def corpora_folder() -> Path:
    """Where fetched files are kept: ``$LAB_CORPORA``, else this user's cache folder."""
    return paths.cache_folder(FOLDER_VARIABLE, "corpora")


def fetch(url: str, filename: str, sha256: str) -> Path:
    """The file at ``url``, from ``corpora_folder()`` if it is there, else from the network.

    The download goes to a temporary file and is moved to its place only once the hash is right, so that neither a
    broken connection nor a wrong file leaves anything behind.

    Raises:
        LabError: if there is no network and no file, if the hash is wrong, or if the folder cannot be written to.
    """
    folder = corpora_folder()
    target = folder / filename
    advice = f"put {filename} (from {url}) into {folder} yourself, or use corpus=fables, which needs no network"
    if target.is_file() and _sha256(target) == sha256:
        return target

    pooch.get_logger().setLevel(logging.WARNING)
    print(f"fetching {filename} from {url}", file=sys.stderr)
    store = pooch.create(
        path=folder.absolute(), base_url="", registry={filename: f"sha256:{sha256}"}, urls={filename: url}
    )
    try:
        # A progress bar for people; in a log file it would be a thousand lines.
        store.fetch(filename, downloader=pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=30))
    except ValueError as error:  # pooch's word for a hash that does not match
        raise LabError(
            f"what {url} sent is not the expected {filename} (its SHA-256 differs) and was not kept: {advice}"
        ) from error
    except OSError as error:  # requests' exceptions are OSErrors, too
        if isinstance(error, PermissionError):
            raise LabError(f"{folder} cannot be written to: set {FOLDER_VARIABLE} to a folder of yours") from error
        raise LabError(f"{filename} is not here yet and could not be fetched: {advice}") from error
    return target


def _sha256(file: Path) -> str:
    """Of its content: found once, as long as nobody writes to it."""

    def find() -> dict[str, str]:
        with file.open("rb") as stream:
            return {"sha256": hashlib.file_digest(stream, "sha256").hexdigest()}

    return str(
        stamps.once(file.with_name(f".{file.name}.sha256.json"), [file], parts({"sha256": text()}), find)["sha256"]
    )
