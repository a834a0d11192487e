"""The batch script for SLURM: a shell reads it, SLURM's lines say what was typed, and the options come back."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from support.commands import train_here

from lab.commands.sbatch import script
from lab.config import compose, quoting
from lab.config.schema import check, to_plain
from lab.errors import LabError

TYPED = ("model=medium", "trainer=ddp", "trainer.devices=8", "trainer.num_nodes=4", "sample.prompt=It's $HOME, a fox")


def _lines(text: str) -> dict[str, str]:
    return dict(re.findall(r"^#SBATCH --([\w-]+)(?:=(.*))?$", text, re.MULTILINE))


def test_a_shell_reads_it_and_the_options_come_back(tmp_path: Path) -> None:
    start = tmp_path / "my notes"
    start.mkdir()
    done = train_here(start, *TYPED, "--sbatch")
    assert (done.code, done.err) == (0, "")
    assert list(start.iterdir()) == []
    assert subprocess.run(["bash", "-n"], input=done.out, text=True, check=False).returncode == 0
    told = _lines(done.out)
    assert (told["nodes"], told["ntasks-per-node"], told["gpus-per-node"]) == ("4", "8", "8")
    assert told["signal"] == "USR1@120"
    assert "requeue" in told
    # As the shell of a job would start it, with something that tells its words in the place of srun.
    show = f'srun() {{ printf "%s\\n" "$PWD" "$@"; }}; SLURM_JOB_ID=77\n{done.out}'
    said = subprocess.run(["bash"], input=show, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[:5] == [str(start), "--kill-on-bad-exit=1", sys.executable, "-m", "lab.train"]
    words = said[5:]
    assert "hydra.run.dir=outputs/slurm-77" in words
    composed = compose.compose_quoted(quoting.quote_literals(words), with_hydra=True)
    assert composed.hydra.run.dir == "outputs/slurm-77"
    given = check(compose.compose_config(words))
    wanted = check(compose.compose_config([*TYPED, "save=true", "resume=auto"]))
    assert to_plain(given) == to_plain(wanted)


def test_a_folder_that_was_typed_and_a_processor(tmp_path: Path) -> None:
    words = ["trainer=cpu", "trainer.devices=2", "hydra.run.dir=here", "save=true"]
    text = script(words, tmp_path)
    assert "gpus-per-node" not in text
    assert "SLURM_JOB_ID" not in text
    assert "hydra.run.dir=here" in shlex.split(text.splitlines()[-1])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trainer=ddp"], "give trainer.devices=8, say"),
        (["save=false"], "goes on by save=true: leave out save="),
        (["resume=last"], "goes on by resume=auto: leave out resume="),
        (["modle=small"], "modle"),
        (["seed=1,2"], "seed"),
    ],
)
def test_what_no_job_can_be_is_said(words: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(LabError, match=said):
        script(words, tmp_path)
