"""What breaks on real machines, done for real: kills, full disks, torn files, hostile files."""

import contextlib
import errno
import os
import random
import resource
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.commands import scalars, train, train_here
from support.forked import Process, started
from support.runs import OPTIONS, assert_same_run, write_tale

from lab.runs import checkpoint, events


def start(folder: Path, *arguments: str) -> Process:
    return started(folder, "lab.train", *arguments)


def was_killed(process: Process) -> bool:
    """Waits for the end."""
    with process:
        return process.wait() == -9


def kill_after(process: Process, folder: Path, files: int, delay: float) -> bool:
    """kill -9, ``delay`` seconds after the run has written ``files`` checkpoints. False if it was through before."""
    seen = 0
    last = None
    while process.poll() is None:
        now = last
        with contextlib.suppress(FileNotFoundError):  # retention has removed one between the listing and the look
            now = tuple(sorted((p.name, p.stat().st_mtime_ns) for p in (folder / "checkpoints").glob("*.ckpt")))
        if now != last:
            last, seen = now, seen + 1
        if seen > files:
            time.sleep(delay)
            process.kill()
            break
        time.sleep(0.005)
    return was_killed(process)


def kill_within_a_write(process: Process, folder: Path) -> bool:
    """kill -9 as soon as a checkpoint has begun to be written. False if the run was through before."""
    left_before = set((folder / "checkpoints").glob(".*.tmp"))
    while process.poll() is None:
        if any(path not in left_before for path in (folder / "checkpoints").glob(".*.tmp")):
            process.kill()
            break
        time.sleep(0.001)
    return was_killed(process)


MANY_WRITES = (*OPTIONS, "model.emb_dim=128", "trainer.max_steps=60", "save_every=1", "keep=2", "eval_every=10")
"""A larger model and a checkpoint after each step: most of the time is spent writing."""


@pytest.mark.slow
@pytest.mark.parametrize("in_place", [True, False])
def test_five_kills_and_still_the_same_run(in_place: bool, tmp_path: Path) -> None:
    write_tale(tmp_path)
    assert train_here(tmp_path, *MANY_WRITES, "hydra.run.dir=whole").code == 0
    chance = random.Random(3)
    folder, command = tmp_path / "part-0", [*MANY_WRITES, "hydra.run.dir=part-0"]
    for number in range(1, 6):
        assert kill_after(start(tmp_path, *command), folder, chance.randint(1, 3), chance.random() * 0.1)
        target = folder if in_place else tmp_path / f"part-{number}"
        command = [f"resume={folder}", f"hydra.run.dir={target}"]
        folder = target
    train(tmp_path, *command)
    assert_same_run(tmp_path / "whole", folder)
    assert not list(folder.rglob("*.tmp"))


@pytest.mark.slow
def test_twenty_five_kills_at_random_moments_and_within_writes(tmp_path: Path) -> None:
    write_tale(tmp_path)
    train(tmp_path, *MANY_WRITES, "hydra.run.dir=whole")
    chance = random.Random(11)
    kills = torn = 0
    command = [*MANY_WRITES, "hydra.run.dir=part", "resume=auto"]
    for number in range(26):
        process = start(tmp_path, *command)
        if number % 2:  # aimed: how often a random moment falls into a write depends on the machine
            killed = kill_within_a_write(process, tmp_path / "part")
        else:
            killed = kill_after(process, tmp_path / "part", chance.randint(0, 1), chance.random() * 0.2)
        kills += killed
        torn += bool(list((tmp_path / "part" / "checkpoints").glob(".*.tmp")))
        if not killed:
            break
        if (tmp_path / "part" / "checkpoints" / "last.ckpt").exists():
            checkpoint.load(checkpoint.find(str(tmp_path / "part"), tmp_path))  # always one that is whole
    train(tmp_path, *command)  # the rest; or nothing left to do, which is no error with resume=auto
    print(f"{kills} kills, {torn} of them in the middle of a write")
    assert kills >= 25
    assert torn >= 5
    assert_same_run(tmp_path / "whole", tmp_path / "part")
    assert not list((tmp_path / "part").rglob("*.tmp"))


@contextlib.contextmanager
def limited(size: int) -> Iterator[None]:
    """Files of this process may not grow beyond so many bytes: what a full disk does, at a place we can choose."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("go_on", [False, True])
def test_no_room_for_a_checkpoint(go_on: bool, tmp_path: Path) -> None:
    write_tale(tmp_path)
    assert train_here(tmp_path, *OPTIONS, "trainer.max_steps=4", "hydra.run.dir=run").code == 0
    before = (tmp_path / "run" / "checkpoints" / "last.ckpt").read_bytes()
    options = [f"if_save_fails={'go_on' if go_on else 'stop'}", "hydra.run.dir=run", "trainer.max_steps=12"]
    with limited(len(before) // 2):
        done = train_here(tmp_path, "resume=run", *options)
    assert "could not be written" in done.err
    assert "intact" in done.err
    assert "Traceback" not in done.err
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").read_bytes() == before
    assert not list((tmp_path / "run" / "checkpoints").glob(".*.tmp"))
    assert done.code == (0 if go_on else 1), done.err
    if go_on:
        assert "training goes on" in done.err
        assert max(scalars(tmp_path / "run")["train_loss"]) == 12
    assert train_here(tmp_path, "resume=run", "trainer.max_steps=12", "hydra.run.dir=after").code == 0


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounting a small filesystem needs root")
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    write_tale(tmp_path)
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", disk], check=False)
    if mounted.returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        done = train_here(tmp_path, *OPTIONS, "save_every=1", "keep=100", f"hydra.run.dir={disk}/run")
        assert done.code == 1
        assert "could not be written" in done.err
        assert len(done.err.strip().splitlines()) == 1
        last = checkpoint.find(str(disk / "run"), tmp_path)
        step = checkpoint.load(last)["global_step"]
        assert step >= 1
        done = train_here(tmp_path, f"resume={last}", "keep=1", "hydra.run.dir=elsewhere")
        assert done.code == 0
        assert train_here(tmp_path, *OPTIONS, "hydra.run.dir=whole").code == 0
        assert scalars(tmp_path / "elsewhere")["train_loss"] == scalars(tmp_path / "whole")["train_loss"]
    finally:
        subprocess.run(["umount", disk], check=True)  # nobody holds a file open there any more


def test_no_room_for_the_log_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fills up while nothing is being saved: one sentence all the same."""
    write_tale(tmp_path)
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        if b'"step": 3' in data:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(events.os, "write", full)
    done = train_here(tmp_path, *OPTIONS, "hydra.run.dir=run")
    assert done.code == 1
    assert done.err.startswith("error: there is no room left in")
    assert len(done.err.strip().splitlines()) == 1
