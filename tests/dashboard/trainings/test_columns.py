"""What can be said of a run in a column."""

from support.rows import row

from lab.comparison.run_curve import _flat
from lab.dashboard.trainings.columns import Packer, flat, varied, written

CONFIG = {
    "seed": 1,
    "model": {"n_layers": 2, "bias": True},
    "optimizer": {"_target_": "torch.optim.AdamW", "betas": [0.9, 0.95]},
    "parts": None,
}


def test_options_stand_under_their_full_names() -> None:
    assert dict(flat(CONFIG)) == {
        "seed": 1,
        "model.n_layers": 2,
        "model.bias": True,
        "optimizer": "AdamW",
        "optimizer.betas": "[0.9, 0.95]",
        "parts": None,
    }
    plain = {name: v for name, v in _flat(CONFIG).items() if "_target_" not in name and not isinstance(v, list)}
    assert plain.items() <= dict(flat(CONFIG)).items()  # as comparisons have them
    assert [written(value) for value in (None, True, 0.001, "a")] == ["null", "true", "0.001", "a"]


def test_what_runs_have_in_common_is_kept_once() -> None:
    packer = Packer()
    one, other = packer.pack(CONFIG), packer.pack({**CONFIG, "seed": 2})
    assert one._names is other._names
    assert one.get("optimizer") is other.get("optimizer")
    assert (one.get("seed"), other.get("seed"), one.get("nothing"), one.get("parts")) == (1, 2, None, None)
    assert one.has("parts")
    assert not one.has("nothing")
    assert packer.pack({"a": True}).get("a") is True  # which equals 1
    assert packer.pack({"a": 1}).get("a") == 1
    assert len(dict(packer.pack({str(n): "x" * 10_000 for n in range(9999)}).items())) == 400
    assert len(str(packer.pack({"a": "x" * 10_000}).get("a"))) == 120


def test_cells() -> None:
    one = row(1, CONFIG, best_val_loss="NaN", train_loss=2.0, outcome={"perplexity": 9, "seconds": "NaN"})
    assert one.cell("best_val_loss") is None
    assert (one.cell("train_loss"), one.cell("perplexity"), one.cell("seconds")) == (2.0, 9.0, None)
    assert (one.cell("model.bias"), one.cell("no.option")) == (True, None)


def test_what_is_not_the_same_in_all() -> None:
    found = varied([row(1, CONFIG), row(2, {**CONFIG, "seed": 2}), row(3, {"late": 1})])
    assert found["seed"]
    assert not found["optimizer"]
    assert not found["late"]
