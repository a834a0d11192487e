"""What a training changes of the process that it runs in, put back: for a notebook, whose process is somebody's own,
and for the next job of a sweep."""

import logging
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

_LOGGERS = ("lightning", "lightning.pytorch", "lightning.fabric", "lightning.pytorch.loggers.mlflow")


@contextmanager
def put_back() -> Iterator[None]:
    """At its end, these are as they were: the environment, all random numbers (Python's, NumPy's, torch's on every
    device), torch's default type, threads and choices of arithmetic, and the levels of Lightning's loggers."""
    environment = dict(os.environ)
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    python, numpy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    dtype, products = torch.get_default_dtype(), torch.get_float32_matmul_precision()
    threads = torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    tuned, exact = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    try:
        yield
    finally:
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update(environment)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(cpu)
        if gpus is not None:
            torch.cuda.set_rng_state_all(gpus)
        torch.set_default_dtype(dtype)
        torch.set_num_threads(threads)
        if torch.get_float32_matmul_precision() != products:
            torch.set_float32_matmul_precision(products)
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = tuned, exact
