"""Windows against brute force; the sampler as one stream; every validation token once."""

import pickle
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from lab.data.windows import (
    Batch,
    EvaluationWindows,
    SeekableSampler,
    Windows,
    evaluation_batches,
    open_tokens,
    split_by_position,
)

few = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def as_it_is(batch: Batch) -> Batch:
    return batch


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A token file in which token i is i."""
    path = tmp_path / "tokens.bin"
    np.arange(1000, dtype="<u2").tofile(path)
    return path


@few
@given(st.lists(st.integers(0, 50256), max_size=60), st.integers(1, 12), st.none() | st.integers(1, 20))
def test_windows_are_what_a_loop_would_cut(tokens: list[int], context_length: int, stride: int | None) -> None:
    expected = []
    start = 0
    while start + context_length + 1 <= len(tokens):
        expected.append((tokens[start : start + context_length], tokens[start + 1 : start + context_length + 1]))
        start += stride or context_length
    windows = Windows(np.array(tokens, dtype=np.uint16), context_length, stride)
    assert len(windows) == len(expected)
    assert [(inputs.tolist(), targets.tolist()) for inputs, targets in (windows[i] for i in range(len(windows)))] == (
        expected
    )


@few
@given(st.integers(10, 80), st.integers(1, 9), st.integers(1, 9), st.data())
def test_a_gathered_batch_is_the_stack_of_its_windows(
    n_tokens: int, context_length: int, stride: int, data: st.DataObject
) -> None:
    windows = Windows(np.arange(n_tokens, dtype=np.uint16), context_length, stride)
    indices = data.draw(st.lists(st.integers(0, len(windows) - 1), min_size=1, max_size=6))
    inputs, targets = windows.__getitems__(indices)
    assert inputs.dtype == targets.dtype == torch.int64
    assert torch.equal(inputs, torch.stack([windows[i][0] for i in indices]))
    assert torch.equal(targets, torch.stack([windows[i][1] for i in indices]))
    assert torch.equal(targets, inputs + 1)  # token i is i: the target is the token after


def test_an_index_behind_the_last_window_is_refused() -> None:
    windows = Windows(np.arange(100, dtype=np.uint16), 10)
    with pytest.raises(IndexError):
        windows[len(windows)]


def test_the_largest_token_id_survives() -> None:
    inputs, targets = Windows(np.array([50256, 50256, 65535], dtype=np.uint16), 2)[0]
    assert inputs.tolist() == [50256, 50256]
    assert targets.tolist() == [50256, 65535]


def test_pickled_windows_stay_mapped(file: Path) -> None:
    windows = Windows(open_tokens(file), 10, 3)
    data = pickle.dumps(windows)
    assert len(data) < 500
    copy = pickle.loads(data)
    assert isinstance(copy.tokens, np.memmap)
    assert np.array_equal(copy.tokens, windows.tokens)
    assert len(copy) == len(windows)
    assert all(torch.equal(a, b) for i in range(len(windows)) for a, b in zip(copy[i], windows[i], strict=True))


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        (0, 700),
        (300, 700),
    ],
)
def test_pickled_windows_over_a_part_of_a_file_are_over_the_same_part(file: Path, start: int, stop: int) -> None:
    """data.max_train_tokens cuts at the front, val_fraction at the end."""
    windows = Windows(open_tokens(file)[start:stop], 10)
    data = pickle.dumps(windows)
    assert len(data) < 500
    copy = pickle.loads(data)
    assert np.array_equal(copy.tokens, windows.tokens)


def test_pickled_windows_in_memory_are_copied() -> None:
    windows = Windows(np.arange(50, dtype=np.uint16), 7)
    assert np.array_equal(pickle.loads(pickle.dumps(windows)).tokens, windows.tokens)


def test_open_tokens_reads_little_endian_from_where_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "tokens.bin"
    path.write_bytes(bytes([1, 0, 0, 1, 80, 196]))
    assert open_tokens(path).tolist() == [1, 256, 50256]
    assert open_tokens(path, start=1).tolist() == [256, 50256]
    assert open_tokens(path, start=1, length=1).tolist() == [256]
    with pytest.raises(ValueError, match="read-only"):
        open_tokens(path)[0] = 7


def test_loader_workers_change_nothing(file: Path) -> None:
    def batches(num_workers: int) -> list[Batch]:
        windows = Windows(open_tokens(file), 10)
        sampler = SeekableSampler(len(windows), 8, seed=3, position=16)
        collate: Any = as_it_is  # a whole batch at once, of which DataLoader's type knows nothing
        loader = DataLoader(windows, batch_sampler=sampler, num_workers=num_workers, collate_fn=collate)
        return list(islice(loader, 20))  # more than an epoch

    here, elsewhere = batches(0), batches(2)
    assert len(here) == len(elsewhere) == 20
    for ours, theirs in zip(here, elsewhere, strict=True):
        assert torch.equal(ours[0], theirs[0])
        assert torch.equal(ours[1], theirs[1])


def stream(n: int, sampler: SeekableSampler) -> list[int]:
    """The first n windows that the sampler hands out."""
    flat: Iterator[int] = (window for batch in sampler for window in batch)
    return list(islice(flat, n))


@few
@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 2**32 - 1), st.integers(0, 20), st.booleans())
def test_a_sampler_started_later_yields_the_tail(
    n_windows: int, batch_size: int, seed: int, batches: int, shuffle: bool
) -> None:
    def first(count: int, position: int) -> list[list[int]]:
        sampler = SeekableSampler(n_windows, batch_size, seed=seed, shuffle=shuffle, position=position)
        return list(islice(sampler, count))

    assert first(8, batches * batch_size) == first(batches + 8, 0)[batches:]


@few
@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 100))
def test_the_stream_depends_on_the_position_alone_not_on_the_batches(n_windows: int, batch: int, position: int) -> None:
    one_by_one = stream(position + 50, SeekableSampler(n_windows, 1, seed=5))
    assert stream(50, SeekableSampler(n_windows, batch, seed=5, position=position)) == one_by_one[position:]


@few
@given(st.integers(1, 30), st.integers(1, 40), st.integers(0, 2**32 - 1), st.booleans())
def test_every_epoch_has_every_window_once(n_windows: int, batch_size: int, seed: int, shuffle: bool) -> None:
    """Also where a batch reaches across the border of two epochs, or holds several of them."""
    windows = stream(4 * n_windows, SeekableSampler(n_windows, batch_size, seed=seed, shuffle=shuffle))
    for epoch in range(4):
        one = windows[epoch * n_windows : (epoch + 1) * n_windows]
        assert sorted(one) == list(range(n_windows))
        if not shuffle:
            assert one == list(range(n_windows))


def test_all_batches_have_one_size() -> None:
    assert {len(batch) for batch in islice(SeekableSampler(10, 4), 25)} == {4}


@few
@given(st.integers(1, 30), st.integers(1, 6), st.integers(1, 4), st.integers(0, 10))
def test_ranks_share_out_the_joint_batch(n_windows: int, batch_size: int, replicas: int, steps: int) -> None:
    position = steps * batch_size * replicas
    joint = islice(SeekableSampler(n_windows, batch_size * replicas, seed=2, position=position), 6)
    ranks = [
        islice(SeekableSampler(n_windows, batch_size, seed=2, position=position, rank=r, replicas=replicas), 6)
        for r in range(replicas)
    ]
    for whole, *parts in zip(joint, *ranks, strict=True):
        assert all(len(part) == batch_size for part in parts)
        assert [window for part in parts for window in part] == whole


def test_a_sampler_without_windows_is_refused() -> None:
    with pytest.raises(ValueError, match="no window"):
        SeekableSampler(0, 4)


@few
@given(st.integers(1, 200), st.integers(1, 20), st.integers(1, 9))
def test_validation_scores_every_token_but_the_first_once(n_tokens: int, context_length: int, batch_size: int) -> None:
    windows = EvaluationWindows(np.arange(n_tokens, dtype=np.uint16), context_length, batch_size)
    scored = []
    for i in range(len(windows)):
        inputs, targets = windows[i]
        assert inputs.shape == targets.shape
        assert inputs.shape[0] <= batch_size
        assert 1 <= inputs.shape[1] <= context_length
        assert torch.equal(targets, inputs + 1)
        scored += targets.flatten().tolist()
    assert scored == list(range(1, n_tokens))
    assert sum(rows * seq for _, rows, seq in evaluation_batches(windows.tokens, context_length, batch_size)) == (
        n_tokens - 1
    )


def test_validation_of_nothing_is_nothing() -> None:
    assert evaluation_batches(np.empty(0, dtype=np.uint16), 4, 2) == []


@few
@given(st.integers(0, 10**7), st.floats(0.001, 0.999), st.none() | st.integers(2, 10**5))
def test_the_split_takes_the_share_from_the_end_but_no_more_than_the_bound(
    n_tokens: int, val_fraction: float, max_val_tokens: int | None
) -> None:
    border = split_by_position(n_tokens, val_fraction, max_val_tokens)
    validation = n_tokens - border
    assert 0 <= border <= n_tokens
    if max_val_tokens is not None and val_fraction * n_tokens >= max_val_tokens + 1:
        assert validation == max_val_tokens
    else:
        assert val_fraction * n_tokens - 1 <= validation <= val_fraction * n_tokens + 1e-6


@given(st.integers(2, 400), st.integers(1, 40), st.integers(1, 5), st.integers(1, 9))
def test_several_processes_score_every_token_once(n_tokens: int, context: int, batch: int, replicas: int) -> None:
    """And each has as many items as the others."""
    tokens = np.arange(n_tokens, dtype=np.uint16)
    shares = [EvaluationWindows(tokens, context, batch, rank, replicas) for rank in range(replicas)]
    assert len({len(share) for share in shares}) == 1
    scored = [share[i][1].flatten() for share in shares for i in range(len(share)) if share.counts(i)]
    assert sorted(torch.cat(scored).tolist()) == list(range(1, n_tokens))


@given(st.integers(1, 60), st.integers(1, 5), st.integers(1, 5), st.integers(0, 200))
def test_several_processes_share_each_batch(n_windows: int, batch: int, replicas: int, position: int) -> None:
    """Together and in their order they have what one process has with batches as large as all of theirs."""
    one = iter(SeekableSampler(n_windows, batch * replicas, seed=3, position=position))
    shares = [
        SeekableSampler(n_windows, batch, seed=3, position=position, rank=r, replicas=replicas) for r in range(replicas)
    ]
    for whole, *parts in islice(zip(one, *shares, strict=False), 4):
        assert whole == [window for part in parts for window in part]
