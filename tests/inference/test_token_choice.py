"""What a model thought of a token, by the definitions."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.inference.token_choice import explain_choice
from lab.tokenizer import Tokenizer


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(-500, 500).map(lambda tenth: tenth / 16), min_size=1, max_size=12), st.data())
def test_every_figure_by_hand(scores: list[float], data: st.DataObject) -> None:
    token = data.draw(st.integers(0, len(scores) - 1))
    n = data.draw(st.integers(1, 15))
    found = explain_choice(torch.tensor(scores), token, n, Tokenizer())
    exact = [math.exp(score - max(scores)) for score in scores]
    law = [value / math.fsum(exact) for value in exact]
    assert found.token_id == token
    assert found.probability == pytest.approx(law[token], rel=1e-9, abs=1e-300)
    assert found.log_prob == pytest.approx(scores[token] - max(scores) - math.log(math.fsum(exact)), abs=1e-9)
    assert found.rank == sum(score > scores[token] for score in scores)
    assert found.entropy == pytest.approx(-math.fsum(p * math.log(p) for p in law if p), abs=1e-9)
    assert found.entropy >= 0
    assert len(found.alternatives) == min(n, len(scores))
    told = [other.probability for other in found.alternatives]
    assert told == pytest.approx(sorted(law, reverse=True)[:n], rel=1e-9, abs=1e-300)
    assert all(o.probability == pytest.approx(law[o.token_id], rel=1e-9, abs=1e-300) for o in found.alternatives)


def test_alternatives_are_what_could_be_drawn() -> None:
    """With the probabilities that the model gives them among all."""
    scores, among = torch.tensor([3.0, 2.0, 1.0, 0.0]), torch.tensor([False, True, False, True])
    found = explain_choice(scores, 1, 3, Tokenizer(), among)
    law = torch.softmax(scores.double(), 0)
    assert [(o.token_id, o.probability) for o in found.alternatives] == [
        (1, pytest.approx(law[1].item())),
        (3, pytest.approx(law[3].item())),
    ]
    assert found.rank == 1


def test_sure_and_without_any_idea() -> None:
    sure = explain_choice(torch.tensor([0.0, 1e6, -torch.inf]), 1, 1, Tokenizer())
    assert (sure.probability, sure.log_prob, sure.rank, sure.entropy) == (1.0, 0.0, 0, 0.0)
    assert explain_choice(torch.zeros(50257), 7, 3, Tokenizer()).entropy == pytest.approx(math.log(50257))
