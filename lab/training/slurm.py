"""Under SLURM: what the process is one of, and how its job is queued again.

Lightning has a mechanism of its own for that, with a checkpoint of its own beside ours. It is switched off: a job that
is warned saves as after any other signal, and goes on by ``resume=auto``.
"""

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from lab.errors import LabError

if TYPE_CHECKING:
    from lightning.fabric.plugins.environments import ClusterEnvironment

WARNINGS = ("SIGUSR1", "SIGUSR2")
"""What SLURM sends before the time of a job is up, with ``sbatch --signal=USR1@120``, say."""


def environment(devices: int) -> "list[ClusterEnvironment]":
    """What Lightning is to take this process for, where it would otherwise ask SLURM's variables; else nothing.

    They tell how many tasks a job may have, and not whether ``srun`` has started them.

    Raises:
        LabError: if ``srun`` has started another number of processes than there are devices to train on.
    """
    from lightning.fabric.plugins.environments import LightningEnvironment, SLURMEnvironment, TorchElasticEnvironment

    if "SLURM_NTASKS" not in os.environ or TorchElasticEnvironment.detect():
        return []
    tasks = int(os.environ.get("SLURM_STEP_NUM_TASKS", 1))
    if tasks == 1:
        return [LightningEnvironment()]
    if tasks != devices:
        raise LabError(
            f"srun has started {tasks} processes for trainer.devices={devices}: give srun --ntasks={devices}, "
            "or leave out srun"
        )
    os.environ.setdefault("SLURM_NTASKS_PER_NODE", str(tasks))  # a run has one node; srun --ntasks leaves it open
    return [SLURMEnvironment(auto_requeue=False)]


def requeue() -> None:
    """Queues the job that this process is again, if it is one that SLURM has started from its queue. Says what came of
    it on standard error."""
    job = os.environ.get("SLURM_JOB_ID")
    # These names are those of a shell in an allocation: its job ends with it.
    if not job or os.environ.get("SLURM_JOB_NAME") in ("bash", "interactive"):
        return
    if os.environ.get("SLURM_PROCID", "0") != "0":
        return  # the first of its processes does it
    if "SLURM_ARRAY_JOB_ID" in os.environ:
        job = f"{os.environ['SLURM_ARRAY_JOB_ID']}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    try:
        done = subprocess.run(
            ["scontrol", "requeue", job], capture_output=True, encoding="utf-8", errors="replace", check=False
        )
        reason = None if done.returncode == 0 else " ".join(done.stderr.split()) or f"exit code {done.returncode}"
    except OSError as error:
        reason = f"scontrol: {error.strerror}"
    if reason is None:
        print(f"note: SLURM's job {job} is queued again, and goes on from here", file=sys.stderr, flush=True)
    else:
        print(f"warning: SLURM's job {job} could not be queued again ({reason}): submit it anew", file=sys.stderr)
