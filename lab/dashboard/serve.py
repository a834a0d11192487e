"""The command line of the dashboard: where it listens, to whom, and with which token."""

import contextlib
import errno
import json
import os
import signal
import socket
import sys
from pathlib import Path

from lab.commands import entry
from lab.commands.flags import Parser, number
from lab.config.limits import Limit
from lab.dashboard import private_folder
from lab.errors import LabError, shown
from lab.files.paths import settle_variables, typed_path
from lab.system.signals import ENDING

_INSTALL = (
    'the dashboard needs more packages: pip install "gpt-lab[dashboard]", or in a clone: pip install -e ".[dashboard]"'
)


def main() -> None:
    """The command line."""
    # Whoever starts it without a terminal knows the address, and the token lies in the folder.
    entry.run(_start, output_matters="--openapi" in sys.argv)


def _start() -> None:
    parser = Parser(
        prog="python -m lab.dashboard",
        description="Starts, watches and steers trainings, and looks inside their models.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (127.0.0.1: this machine only)")
    parser.add_argument("--port", type=number(int, Limit(0, 65535)), default=8000, help="the port to listen at (8000)")
    parser.add_argument("--root", default=".", help="the folder with outputs/ and multirun/ (here)")
    parser.add_argument("--openapi", action="store_true", help="print the schema of the API and end")
    arguments = parser.parse_args()
    if not arguments.root:
        raise LabError("--root is empty: give a folder, or leave it out for this one")
    settle_variables()  # trainings are started in the root, which may be another folder
    serve(arguments.host, arguments.port, typed_path(arguments.root, Path.cwd()), arguments.openapi)


def serve(host: str, port: int, root: Path, only_schema: bool) -> None:
    """Serves until Ctrl-C.

    Raises:
        LabError: if the port is taken, the folder is no folder, or packages are missing.
    """
    try:
        import uvicorn

        from lab.dashboard.app import create_app
        from lab.dashboard.settings import Settings
    except ImportError as error:
        raise LabError(f"{_INSTALL} ({error.name} is missing)") from error
    if not host:
        raise LabError("--host is empty: give an address of this machine, or leave it out")
    if not root.is_dir():
        raise LabError(f"--root {root} is not a folder")
    root = root.resolve()
    if only_schema:
        print(json.dumps(create_app(Settings(root, "")).openapi(), indent=1))
        return
    listening = _listen(host, port)
    prepared = private_folder.folder_of(root)
    private_folder.prepare(prepared)
    settings = Settings(root, private_folder.token(prepared), host, listening.getsockname()[1])
    _lay_down_token(root, settings.token)
    app = create_app(settings)
    shown = f"[{host}]" if ":" in host else host
    print(f"gpt-lab's dashboard: http://{shown}:{settings.port}/?token={settings.token}", flush=True)
    if host not in ("127.0.0.1", "localhost", "::1"):
        print(
            "others on the network can reach this address; the token goes over it unencrypted, so use it only on a "
            "network that you trust, or through an SSH tunnel",
            file=sys.stderr,
            flush=True,
        )
    # Standard error keeps what goes wrong; a line for every request would bury it.
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        ws="websockets-sansio",
        ws_per_message_deflate=False,  # on one machine, compressing costs more than it saves
    )
    # uvicorn knows Ctrl-C and SIGTERM. What else tells a process to end, a terminal that closes, say, becomes SIGTERM.
    for ending in ENDING:
        if ending not in (signal.SIGINT, signal.SIGTERM) and signal.getsignal(ending) != signal.SIG_IGN:
            signal.signal(ending, lambda *_: signal.raise_signal(signal.SIGTERM))
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn has shut down in good order, and passes the signal on
        uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, UnicodeError) as error:
        listening.close()
        if isinstance(error, socket.gaierror | UnicodeError):
            what = f"--host {shown(host)} is no address: leave it out for this machine alone"
        elif error.errno == errno.EADDRNOTAVAIL:
            what = f"--host {host} is not this machine's: take one of its own addresses"
        else:
            what = f"port {port} of {host} cannot be used ({error.strerror}): choose another one with --port"
        raise LabError(what) from error
    return listening


def _lay_down_token(root: Path, token: str) -> None:
    """A copy of the token for scripts, at the root. Only written, never read: it could be anybody's."""
    path = root / "outputs" / ".dashboard-token"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        private_folder.write_private(path, token)
    except OSError as error:
        raise LabError(f"{path.parent} cannot be written to ({error.strerror}): give another --root") from error
