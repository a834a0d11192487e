"""A learning rate proposed on the command line, and nothing left of the training."""

import csv
import json
import math
from pathlib import Path

import pytest
from support.commands import TINY, inside
from support.runs import write_tale

from lab import find_lr

WORDS = (*TINY, "corpus=text", "corpus.path=tale.txt", "data.batch_size=3")


def test_a_rate_is_proposed_with_its_curve_and_no_run_is_left(tmp_path: Path) -> None:
    write_tale(tmp_path)
    flags = ("--steps", "60", "--low", "1e-3", "--high", "10", "--out", "found")
    code, out, err = inside(find_lr.main, tmp_path, *flags, *WORDS, "optimizer=muon")
    assert code == 0, err
    found = json.loads((tmp_path / "found" / "lr.json").read_text())
    assert f"optimizer.lr={found['proposed']:g}" in out
    assert 1e-3 < found["proposed"] < 1
    assert found["proposed"] == pytest.approx(found["lowest"] / 3, rel=0.34)
    rows = list(csv.DictReader((tmp_path / "found" / "lr.csv").read_text().splitlines()))
    assert [float(row["loss"]) for row in rows] == found["losses"]
    assert min(found["smoothed"]) < 0.8 * found["losses"][0]
    assert {path.name for path in tmp_path.iterdir()} == {"tale.txt", "found"}
    assert {path.name for path in (tmp_path / "found").iterdir()} >= {"lr.json", "lr.csv"}
    code, _, err = inside(find_lr.main, tmp_path, "--out", "found", *WORDS)
    assert (code, "has a lr.json already" in err) == (1, True)


def test_it_is_the_rate_of_the_options_tokenizer_and_parts(tmp_path: Path) -> None:
    """A model over bytes begins at ln 257 nats a token, and not at that of 50,257 words."""
    write_tale(tmp_path)
    flags = ("--steps", "60", "--low", "1e-3", "--high", "10", "--out", "found")
    words = (*WORDS, "tokenizer=bytes", "model.norm=rmsnorm", "model.position=rope")
    code, _, err = inside(find_lr.main, tmp_path, *flags, *words)
    assert code == 0, err
    found = json.loads((tmp_path / "found" / "lr.json").read_text())
    assert found["losses"][0] == pytest.approx(math.log(257), abs=0.5)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--low", "1", "--high", "0.1"), "--low 1 is not below --high 0.1"),
        (("--steps", "3"), "it must be a whole number, at least 20"),
        (("--low", "1e-9", "--high", "1e-8", "--steps", "20"), "no rate makes the loss fall by a twentieth"),
        (("--low", "100", "--high", "1000", "--steps", "20"), "the training diverges at once"),
        (("resume=last",), "resume: lab.find_lr begins anew"),
        (("optimizer.lrr=1",), "there is no option optimizer.lrr"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_mistake_is_one_sentence(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    write_tale(tmp_path)
    code, _, err = inside(find_lr.main, tmp_path, *WORDS, *words)
    assert code == 1
    assert said in err
    assert len(err.strip().splitlines()) == 1
