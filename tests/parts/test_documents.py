"""Documents in one window against each of them alone."""

import itertools
import json
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.commands import inside, tiny

from lab import evaluate
from lab.kernels.attention import attend_in_blocks
from lab.model import GPTModel
from lab.parts import ModelConfig, build_model
from lab.parts.documents import separate_documents
from lab.runs import events

END = 12
SHAPES: dict[str, dict[str, Any]] = {
    "learned": {},
    "rope": {"position": "rope"},
    "alibi": {"position": "alibi"},
    "none": {"position": "none"},
    "sliding": {"sliding_window": 3},
    "alibi, sliding": {"position": "alibi", "sliding_window": 3},
    "grouped": {"position": "rope", "n_kv_heads": 2, "qk_norm": True},
    "post-norm": {"block": "post_norm", "sliding_window": 4},
}


def model_of(shape: str, **options: Any) -> GPTModel:
    torch.manual_seed(1)
    sizes = {"emb_dim": 32, "n_layers": 2, "n_heads": 4, "context_length": 24, "vocab_size": 13, "drop_rate": 0.0}
    model = build_model(ModelConfig(**{**sizes, **SHAPES[shape], **options}))
    for parameter in model.parameters():  # large enough that looking elsewhere would show
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def documents_of(row: list[int]) -> list[list[int]]:
    """A window, cut in front of each end of text."""
    begins = [0, *(i for i in range(1, len(row)) if row[i] == END), len(row)]
    return [row[one:other] for one, other in itertools.pairwise(begins)]


def alone(model: GPTModel, row: list[int]) -> torch.Tensor:
    return torch.cat([model(torch.tensor([document]))[0] for document in documents_of(row)])


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_logits_are_those_of_each_document_alone(shape: str, data: st.DataObject) -> None:
    length = data.draw(st.integers(1, 24))
    token = st.sampled_from([*range(8), END, END])
    rows = data.draw(st.lists(st.lists(token, min_size=length, max_size=length), min_size=1, max_size=3))
    model = model_of(shape).eval()
    ids = torch.tensor(rows)
    with torch.no_grad():
        together = model.head(model.hidden(ids, separate_documents(ids, END, 2)))
        for row, logits in zip(rows, together, strict=True):
            assert torch.allclose(logits, alone(model, row), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("options", [{}, {"activation_checkpointing": True}])
def test_so_are_gradients(options: dict[str, Any]) -> None:
    row = [1, 2, 3, END, 4, 5, END, END, 6, 7, 0, 1]
    together, apart = model_of("grouped", **options), model_of("grouped")
    ids = torch.tensor([row])
    together.head(together.hidden(ids, separate_documents(ids, END, 2))).logsumexp(-1).sum().backward()
    alone(apart, row).logsumexp(-1).sum().backward()
    for one, other in zip(together.parameters(), apart.parameters(), strict=True):
        assert one.grad is not None
        assert other.grad is not None
        assert torch.allclose(one.grad, other.grad, rtol=1e-3, atol=1e-3)
    shared = model_of("grouped", **options)
    shared(ids).logsumexp(-1).sum().backward()
    assert any(
        not torch.allclose(one.grad, other.grad, rtol=1e-2, atol=1e-2)  # type: ignore[arg-type]
        for one, other in zip(shared.parameters(), apart.parameters(), strict=True)
    )


def test_with_dropout_on_a_cpu_nothing_comes_from_another_document() -> None:
    """By the blocks that spare the matrix of all weights: the gradient of a document's results ends at its border."""
    row = torch.tensor([[1] * 100 + [END] + [2] * 200 + [END] + [3] * 98])
    (borders,) = separate_documents(row, END, 1) or []
    _, _, visible = borders.extend(row, row)
    queries, keys, values = (torch.randn(1, 2, 400, 8, requires_grad=True) for _ in range(3))
    attend_in_blocks(queries, keys, values, visible, 0.1)[:, :, 101:301].sum().backward()
    assert values.grad is not None
    assert keys.grad is not None
    for grad in (values.grad, keys.grad):
        assert grad[:, :, :100].abs().max() == 0
        assert grad[:, :, 301:].abs().max() == 0
        assert grad[:, :, 100:301].abs().max() > 0


def test_without_an_end_nothing_is_hidden() -> None:
    assert separate_documents(torch.tensor([[END, 1]]), None, 2) is None
    ids = torch.tensor([[1, 2, 3, 4], [END, 2, 3, 4]])
    model = model_of("learned").eval()
    assert torch.allclose(model.hidden(ids, separate_documents(ids, END, 2)), model.hidden(ids), atol=1e-5)


def test_a_run_is_trained_and_measured_so(tmp_path: Any) -> None:
    words = ("corpus=grammar", "corpus.documents=60", "tokenizer=bytes", "save=true", "trainer.max_steps=3")
    apart, plain = tiny(tmp_path, *words, "data.document_mask=true"), tiny(tmp_path, *words)

    def losses(run: Any) -> list[float]:
        return [e["train_loss"] for e in events.read(run) if "train_loss" in e]  # type: ignore[typeddict-item]

    assert losses(apart.run) != losses(plain.run)
    assert apart.results["val_loss"] != plain.results["val_loss"]
    code, out, err = inside(evaluate.main, tmp_path, f"checkpoint={apart.run}", "format=json")
    assert code == 0, err
    assert json.loads(out)["loss"] == pytest.approx(apart.results["val_loss"], rel=1e-6)
