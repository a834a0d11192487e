"""A batch script for SLURM: ``python -m lab.train ... --sbatch`` prints the one that runs these options."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.commands.training_options import training_config
from lab.config import compose, quoting
from lab.config.devices import AUTO, with_words
from lab.errors import LabError

FLAG = "--sbatch"
_FOLDER = "outputs/slurm-$SLURM_JOB_ID"
"""The run's, unless another was typed: a job that is queued again keeps its number."""

_SCRIPT = """\
#!/bin/bash
#SBATCH --job-name=gpt-lab
#SBATCH --nodes={nodes}
#SBATCH --ntasks-per-node={tasks}
{gpus}#SBATCH --time=24:00:00
#SBATCH --signal=USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=slurm-%j.log
# Two minutes before its time is up, the job is warned: the run saves, queues the job again, and goes on there. Your
# cluster may want more of these lines (--partition, --account, --cpus-per-task), and another time.
cd {start} || exit 1
srun --kill-on-bad-exit=1 {python} -m lab.train {words}
"""


def print_script() -> None:
    """The command line without ``--sbatch``, as a batch script on standard output.

    Raises:
        LabError: if it cannot be a job that is queued again.
    """
    print(script([word for word in sys.argv[1:] if word != FLAG], Path.cwd()), end="")


def script(words: Sequence[str], start_folder: Path) -> str:
    """The script for the options ``words``, typed in ``start_folder``.

    Raises:
        LabError: naming the option that is wrong, or that a job cannot have.
    """
    config = training_config(words)
    typed = {word.lstrip("+").partition("=")[0]: word.partition("=")[2] for word in words}
    if compose.compose_quoted(quoting.quote_literals(words)).trainer.devices == AUTO:
        raise LabError(
            f"{FLAG}: how many GPUs the machines of the cluster have is not known here: give trainer.devices=8, say"
        )
    for name, value in (("resume", "auto"), ("save", "true")):
        if typed.get(name, value) != value:
            raise LabError(f"{FLAG}: a job that is queued again goes on by {name}={value}: leave out {name}=")
    trainer = config.trainer
    settled = [f"trainer.devices={trainer.devices}", f"trainer.num_nodes={trainer.num_nodes}"]
    settled += ["save=true", "resume=auto"]
    line = [shlex.quote(word) for word in with_words(words, settled)]
    if "hydra.run.dir" not in typed:
        line.append(f'"hydra.run.dir={_FOLDER}"')
    return _SCRIPT.format(
        nodes=trainer.num_nodes,
        tasks=trainer.devices,
        gpus="" if trainer.accelerator == "cpu" else f"#SBATCH --gpus-per-node={trainer.devices}\n",
        start=shlex.quote(str(start_folder)),
        python=shlex.quote(sys.executable),
        words=" ".join(line),
    )
