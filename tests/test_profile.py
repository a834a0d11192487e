"""Where a step's time goes, through the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.commands import TINY, inside
from support.runs import write_tale

from lab import profile
from lab.config.compose import compose_config
from lab.config.schema import check
from lab.parts.cost import flops_per_token

WORDS = (*TINY, "corpus=text", "corpus.path=tale.txt", "data.batch_size=3", "steps=2")


def profiled(folder: Path, *words: str) -> dict[str, Any]:
    write_tale(folder)
    code, out, err = inside(profile.main, folder, *WORDS, *words, "format=json")
    assert code == 0, out + err
    found = json.loads(out)
    # What the profiler has seen of a step, part by part, is all of the step.
    assert sum(part["seconds"] for part in found["parts"]) == pytest.approx(found["seconds"], rel=0.05)
    assert sum(part["share"] for part in found["parts"]) == pytest.approx(1, rel=0.05)
    shape = check(compose_config([w for w in (*TINY, *words) if "=" in w and not w.startswith("to=")])).model
    assert found["flops"] == found["tokens"] * flops_per_token(shape)
    return found


def test_the_parts_add_up_to_the_step(tmp_path: Path) -> None:
    found = profiled(tmp_path, "trainer.accumulate_grad_batches=2", "to=trace.json")
    assert found["tokens"] == 2 * 3 * 16
    parts = {part["part"]: part for part in found["parts"]}
    names = ["embedding", "norms", "attention projections", "attention scores", "feed-forward", "dropout"]
    assert list(parts) == [*names, "residual stream", "head and loss", "optimizer", "data", "the rest"]
    assert all(part["seconds"] > 0 for part in parts.values())
    assert {name for name, part in parts.items() if part["products"]} == {*names[2:5], "head and loss"}
    trace = json.loads((tmp_path / "trace.json").read_text())
    assert "part: feed-forward" in {event.get("name") for event in trace["traceEvents"]}
    assert {path.name for path in tmp_path.iterdir()} == {"tale.txt", "trace.json"}


def test_own_parts_and_recomputed_blocks_are_told_too(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import torch\nfrom torch import nn\n\nclass Norm(nn.Module):\n    def __init__(self, emb_dim, bias):\n"
        "        super().__init__()\n        self.scale = nn.Parameter(torch.ones(emb_dim))\n\n"
        "    def forward(self, x):\n        return self.scale * x.tanh()\n"
    )
    write_tale(tmp_path)
    words = ("model.norm=mine.py:Norm", "model.activation_checkpointing=true")
    code, out, err = inside(profile.main, tmp_path, *WORDS, *words)
    assert code == 0, out + err
    assert [line.split()[0] for line in out.splitlines()[:4]] == ["part", "embedding", "norms", "attention"]
    assert "of its products alone" in out


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # torch's compiler looks at gradients that are none, and is warned of it
def test_compiled_blocks_are_one_item(tmp_path: Path) -> None:
    found = profiled(tmp_path, "trainer.compile=true")
    parts = {part["part"]: part for part in found["parts"]}
    assert not {"feed-forward", "attention scores"} & parts.keys()
    assert parts["compiled blocks"]["products"] > 0


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("steps=0", "steps=0"),
        ("resume=last", "resume: lab.profile takes a few steps from fresh weights"),
        ("trainer.devices=2", "trainer.devices: lab.profile"),
        ("to=trace.txt", "to=trace.txt does not end in .json"),
        ("to=taken.json", "taken.json is there already"),
        ("model.n_layer=2", "there is no option model.n_layer"),
    ],
)
def test_a_mistake_is_one_sentence(word: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "taken.json").write_text("{}")
    code, out, err = inside(profile.main, tmp_path, word)
    assert (code, out) == (1, "")
    assert said in err
    assert err.count("\n") == 1
