"""What the first process of a run has to say to those that torchrun or srun has started at the same moment.

All of them have the same command line, and each would choose a folder, tokenize the text and complain of the options by
itself. So the first does it, and the others wait for its word: the words to add to the command line, or that there is
nothing to do. It goes by the key-value store that torch.distributed meets at.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from lab.errors import LabError
from lab.system.ranks import Place

_PATIENCE = timedelta(days=1)
"""To tokenize a large text takes its time; whoever waits is ended by what has started it."""
_ARRIVAL = timedelta(minutes=10)
"""From the first process that has been started to the last."""
_stores: list[Any] = []
"""Those of this process. The others reach the first as long as it keeps them, and torch.distributed meets there."""


def address(environment: Mapping[str, str] | None = None) -> tuple[str, int]:
    """Where the processes of a run meet: host and port. SLURM says neither: its first node, and a port by the job."""
    told = os.environ if environment is None else environment
    nodes = told.get("SLURM_STEP_NODELIST") or told.get("SLURM_NODELIST") or "127.0.0.1"
    job = re.sub(r"\D", "", told.get("SLURM_JOB_ID", ""))
    port = told.get("MASTER_PORT") or 15_000 + int(job or 0) % 10_000
    return told.get("MASTER_ADDR") or _first_node(nodes), int(port)


def _first_node(nodes: str) -> str:
    """``gpu[07-09,12],big1`` begins with ``gpu07``."""
    first = re.match(r"([^\[,\s]+)(?:\[(\w+))?", nodes)
    return f"{first[1]}{first[2] or ''}" if first else nodes


def host() -> int:
    """Opens a place to meet on this machine, for the processes that this one will start. Returns its port."""
    from torch.distributed import TCPStore  # type: ignore[attr-defined]  # after --help has been answered

    _stores.append(TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False, multi_tenant=True))
    return int(_stores[-1].port)


@contextmanager
def met(place: Place) -> Iterator[list[str]]:
    """For a process that something else has started: within it, the others hear what the first tells by ``tell``. To
    them it gives what they have heard, and to the first nothing.

    Raises:
        SystemExit: for the others, if the first has ended without a word to them: it has said why.
        LabError: if the first cannot be reached.
    """
    store = _store(place)
    if not place.is_first:
        yield _heard(store)
        return
    _stores.append(store)
    code = 1
    try:
        yield []
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
        raise
    finally:
        if not store.check([_key()]):
            store.set(_key(), json.dumps(code))


def tell(words: Sequence[str]) -> None:
    """Tells the others, if any wait, the words to add to their command line."""
    for store in _stores[-1:]:
        store.set(_key(), json.dumps(list(words)))


def _store(place: Place) -> Any:
    from torch.distributed import DistError, TCPStore  # type: ignore[attr-defined]

    hosted = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"  # by torchrun
    where, opens = address(), place.is_first and not hosted
    try:
        return TCPStore(*where, is_master=opens, timeout=_ARRIVAL, wait_for_workers=False, multi_tenant=True)
    except DistError as error:
        raise LabError(
            f"the first process of this run cannot be reached at {where[0]}:{where[1]}: set MASTER_ADDR to its machine "
            "and MASTER_PORT to a port that is free there"
        ) from error


def _heard(store: Any) -> list[str]:
    from torch.distributed import DistError

    try:
        store.wait([_key()], _PATIENCE)
        told = json.loads(store.get(_key()))
    except DistError:  # the first is gone
        raise SystemExit(1) from None
    if isinstance(told, int):
        raise SystemExit(told)
    return [str(word) for word in told]


def _key() -> str:
    return f"lab/words/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}"
