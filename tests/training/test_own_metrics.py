"""Metrics of the user's own: given every token once, a chunk at a time, and blamed by their name."""

from pathlib import Path

import pytest
import torch
from support.ideas import IDEA
from torchmetrics import Metric

from lab.errors import LabError
from lab.files import user_code
from lab.training.loss import ROWS
from lab.training.own_metrics import FunctionMean, OwnMetrics

BROKEN = """
from torchmetrics import Metric
def fails(logits, targets):
    return {}["x"]
class Two(Metric):
    def update(self, logits, targets): pass
    def compute(self):
        import torch
        return torch.zeros(2)
number = 3
"""


def test_a_function_is_averaged_over_all_tokens_in_chunks() -> None:
    sizes = []

    def accuracy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        sizes.append(len(targets))
        assert logits.dtype == torch.float32
        return (logits.argmax(-1) == targets).float().mean()

    own = OwnMetrics({})
    own.metrics["metrics.accuracy"] = FunctionMean(accuracy)
    torch.manual_seed(0)
    right = total = 0
    for rows in (3, 5):  # of different length, as the last batch is
        hidden, head = torch.randn(rows, 100, 8).bfloat16(), torch.randn(5, 8).bfloat16()
        targets = torch.randint(0, 5, (rows, 100))
        own.update(hidden, head, targets)
        right += int(((hidden @ head.T).argmax(-1) == targets).sum())
        total += targets.numel()
    assert max(sizes) == ROWS
    assert sum(sizes) == total
    assert own.compute()["val_accuracy"] == pytest.approx(right / total, rel=1e-6)
    own.update(hidden, head, (hidden @ head.T).argmax(-1))
    assert own.compute() == {"val_accuracy": 1.0}  # begun anew


def test_each_way_to_name_one(tmp_path: Path) -> None:
    (tmp_path / "idea.py").write_text(IDEA)
    with user_code.allowed([tmp_path / "idea.py"]):
        found = OwnMetrics(
            {
                "a": "idea.py:accuracy",
                "b": "idea.py:Seen",
                "c": {"_target_": "idea.py:Seen"},
                "d": {"_target_": "torchmetrics.MeanMetric"},
            }
        ).metrics
    assert isinstance(found.pop("metrics.a"), FunctionMean)
    assert all(isinstance(metric, Metric) for metric in found.values())
    assert [type(metric).__name__ for metric in found.values()] == ["Seen", "Seen", "MeanMetric"]


@pytest.mark.parametrize(
    ("name", "node", "said"),
    [
        ("loss", "idea.py:fails", r"metrics\.loss: the lab has a figure val_loss"),
        ("mine", "accuracy", r"metrics\.mine=accuracy is no metric"),
        ("mine", "idea.py:number", r"is a int, and must be a function"),
        ("mine", {"_target_": "torch.nn.ReLU"}, r"metrics\.mine: torch\.nn\.ReLU makes a ReLU"),
        ("mine", "other.py:f", r"parts=other\.py"),
        ("mine", "idea.py:fails", r"metrics\.mine fails \(KeyError: 'x', idea\.py line 4\)"),
        ("mine", "idea.py:Two", r"metrics\.mine computes 2 numbers"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_metric(name: str, node: object, said: str, tmp_path: Path) -> None:
    (tmp_path / "idea.py").write_text(BROKEN)

    def evaluate() -> None:
        own = OwnMetrics({name: node})
        own.update(torch.zeros(1, 2, 3), torch.zeros(4, 3), torch.zeros(1, 2, dtype=torch.int64))
        own.compute()

    with user_code.allowed([tmp_path / "idea.py"]), pytest.raises(LabError, match=said):
        evaluate()
