"""How fast this machine is, measured once in the process that runs models."""

import threading
from functools import partial
from pathlib import Path

import torch
from anyio import from_thread

from lab.config.precision import resolved
from lab.config.schema import Config
from lab.dashboard.trainings.processes import device_of
from lab.dashboard.worker.client import Inference
from lab.profiling.rate import Rate

_measured: dict[tuple[str, str], Rate] = {}
_lock = threading.Lock()


def of(inference: Inference, config: Config) -> Rate:
    """The rate of products on the device and in the number format of ``config``; takes a second, the first time."""
    key = device_of(config.trainer.accelerator), resolved(config.trainer)
    with _lock:
        if key not in _measured:
            device, precision = key
            threads = torch.get_num_threads()  # a training that is started from here has as many
            ask = partial(inference.ask, "rate", Path(), precision=precision, device=device, threads=threads)
            _measured[key] = from_thread.run(ask)
        return _measured[key]
