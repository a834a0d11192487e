"""A line that can be pasted into a shell, and arrives as the words it was made of."""

import shlex
import subprocess
import sys

import pytest

from lab.dashboard.options.command_line import command_line, typed

WORDS = ["optimizer.lr=0.001,0.0003", "betas=[0.8,0.9]", 'name=it\'s $HOME; `x` "y"', "a=", "corpus.path=a b"]


def test_it_leaves_out_hydras_words() -> None:
    assert command_line("x") is None
    told = command_line(["-m", "sample.prompt=it's", "hydra.run.dir=x", 3])
    assert told is not None
    assert shlex.split(told) == ["python", "-m", "lab.train", "-m", "sample.prompt=it's", "3"]


@pytest.mark.skipif(sys.platform == "win32", reason="takes a POSIX shell")
def test_a_shell_reads_the_words_that_were_meant() -> None:
    line = typed([sys.executable, "-c", "import sys; print(sys.argv[1:])", *WORDS], powershell=False)
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == repr(WORDS)


def test_powershell_takes_a_comma_for_a_list_and_doubles_a_quote() -> None:
    assert typed(["-m", "seed=1", *WORDS[:3]], powershell=True) == (
        "-m seed=1 'optimizer.lr=0.001,0.0003' 'betas=[0.8,0.9]' 'name=it''s $HOME; `x` \"y\"'"
    )
