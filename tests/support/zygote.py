"""The process that commands are forked from: it has imported what takes seconds, and waits for orders.

An order is a packet on standard input, from ``support.forked``: what to become, as JSON, and with it the descriptors to
answer on, of standard output, and of standard error; one more is kept open under the number that the order names. The
answer is a line with the number of the new process, and one with its exit code when it has ended.
"""

import contextlib
import gc
import json
import os
import runpy
import signal
import socket
import sys
from typing import Any

import lightning  # noqa: F401
import torch.utils.tensorboard  # noqa: F401
from support.usual_signals import set_usual

import lab.commands.train  # noqa: F401
import lab.training.run  # noqa: F401

Order = tuple[dict[str, Any], list[int]]


def order() -> Order:
    """Waits for orders. Returns each in a new process, which is to become what it says; ends with who gives them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who gives the orders is told, and ends this process
    gc.freeze()  # what is here stays: no child need look through it
    giver = socket.socket(fileno=0)
    while True:
        packet, descriptors, *_ = socket.recv_fds(giver, 1 << 20, 4)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not packet:
            os._exit(0)
        if not os.fork():
            return _kept(packet, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _kept(packet: bytes, descriptors: list[int]) -> Order:
    """Returns in a child of this process, of which this one tells the number and the end."""
    answer, *others = descriptors
    if not (child := os.fork()):
        os.close(answer)
        return json.loads(packet), others
    for descriptor in (0, *others):
        os.close(descriptor)
    with contextlib.suppress(BrokenPipeError):
        os.write(answer, b"%d\n" % child)
        _, status = os.waitpid(child, 0)
        os.write(answer, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def become(told: dict[str, Any], descriptors: list[int]) -> None:
    """``python -m MODULE ARGUMENTS``, from here on."""
    set_usual()
    if told["new_session"]:
        os.setsid()
    os.environ.clear()
    os.environ.update(told["variables"])
    os.chdir(told["folder"])
    for number, descriptor in enumerate([os.open(os.devnull, os.O_RDONLY), *descriptors]):
        os.dup2(descriptor, number)
        os.close(descriptor)
    if "PYTHONUNBUFFERED" in os.environ:
        sys.stdout.reconfigure(write_through=True)  # type: ignore[union-attr]
    sys.path[0] = told["folder"]
    sys.argv[1:] = told["arguments"]
    sys.modules.pop(told["module"], None)
    runpy.run_module(told["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    become(*order())
