"""The map of embeddings, against numpy's eigenvectors."""

import numpy as np
import pytest
import torch

from lab.inspection.embedding_map import MOST_TOKENS, common_tokens, embedding_map
from lab.model import GPTConfig, GPTModel


def tiny_model() -> GPTModel:
    torch.manual_seed(0)
    return GPTModel(GPTConfig(emb_dim=24, n_layers=1, n_heads=2, context_length=8, vocab_size=40))


def test_it_is_the_map_of_the_two_largest_eigenvalues() -> None:
    model = tiny_model()
    ids = [3, 7, 7, 1, 12, 30, 22]
    found = embedding_map(model, ids)
    assert found.token_ids == [3, 7, 1, 12, 30, 22]
    points = model.token_embedding.weight.detach().double().numpy()[found.token_ids]
    values, vectors = np.linalg.eigh(np.cov(points.T, bias=True))
    first, second = vectors[:, -1], vectors[:, -2]
    expected = (points - points.mean(axis=0)) @ np.stack([first, second], axis=1)
    for axis in (0, 1):
        got = found.coordinates[:, axis].numpy()
        assert np.abs(got) == pytest.approx(np.abs(expected[:, axis]), abs=1e-9)
        assert abs(got @ expected[:, axis]) == pytest.approx(got @ got)
    assert found.explained == pytest.approx((values[-1] / values.sum(), values[-2] / values.sum()))


def test_one_token_is_a_point() -> None:
    found = embedding_map(tiny_model(), [5])
    assert found.coordinates.tolist() == [[0.0, 0.0]]


def test_what_cannot_be_drawn_is_said() -> None:
    model = tiny_model()
    with pytest.raises(ValueError, match="token 999999 is not in a vocabulary"):
        embedding_map(model, [999999])
    with torch.no_grad():
        model.token_embedding.weight[2, 0] = float("nan")
    with pytest.raises(ValueError, match="diverged"):
        embedding_map(model, [1, 2])
    assert embedding_map(model, [1, 3]).coordinates.isfinite().all()


def test_common_tokens_come_after_those_of_the_prompt() -> None:
    found = common_tokens(50_257, [40_000, 300, 40_000])
    assert found[:3] == [40_000, 300, 256]
    assert len(found) == len(set(found)) == 301
    assert common_tokens(65, [9])[:2] == [9, 0]
    assert len(common_tokens(65, [9])) == 65
    assert len(common_tokens(50_257, list(range(5000)))) == MOST_TOKENS
