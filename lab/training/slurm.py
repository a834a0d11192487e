"""Under SLURM: how a job is queued again.

Lightning has a mechanism of its own for that, with a checkpoint of its own beside ours. It is switched off: a job that
is warned saves as after any other signal, and goes on by ``resume=auto``.
"""

import os
import subprocess
import sys

from lab.system import ranks

WARNINGS = ("SIGUSR1", "SIGUSR2")
"""What SLURM sends before the time of a job is up, with ``sbatch --signal=USR1@120``, say."""


def requeue() -> None:
    """Queues the job that this process is again, if it is one that SLURM has started from its queue. Says what came of
    it on standard error."""
    job = os.environ.get("SLURM_JOB_ID")
    # These names are those of a shell in an allocation: its job ends with it.
    if not job or os.environ.get("SLURM_JOB_NAME") in ("bash", "interactive"):
        return
    if not ranks.is_first() or os.environ.get("SLURM_PROCID", "0") != "0":
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
