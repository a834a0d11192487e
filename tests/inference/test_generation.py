"""The generation loop: its events against the tokens that ``sampling.generate`` draws."""

import json
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.inference.generation import (
    EndEvent,
    Event,
    SamplingOptions,
    StartEvent,
    TokenEvent,
    encode_prompt,
    stream_events,
    to_plain,
)
from lab.inference.sampling import generate
from lab.model import GPTConfig, GPTModel
from lab.tokenizer import Tokenizer

CONTEXT = 8
TOKENIZER = Tokenizer()


@pytest.fixture(scope="module")
def model() -> GPTModel:
    torch.manual_seed(3)
    return GPTModel(GPTConfig(emb_dim=8, n_layers=1, n_heads=2, context_length=CONTEXT)).eval()


def events(model: GPTModel, prompt_ids: list[int], **options: Any) -> list[Event]:
    return list(stream_events(model, TOKENIZER, prompt_ids, SamplingOptions(**options)))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.integers(0, 50256), min_size=1, max_size=12),
    st.integers(0, 12),
    st.integers(1, 3),
    st.integers(0, 2**32 - 3),
)
def test_the_events_are_those_of_the_tokens_drawn(
    model: GPTModel, prompt_ids: list[int], max_tokens: int, num_samples: int, seed: int
) -> None:
    start, *found = events(model, prompt_ids, max_tokens=max_tokens, num_samples=num_samples, seed=seed)
    assert isinstance(start, StartEvent)
    assert [token.token_id for token in start.tokens] == prompt_ids[-CONTEXT:]
    assert start.cropped == max(0, len(prompt_ids) - CONTEXT)
    sampling = SamplingOptions().sampling
    drawn = [
        text[len(prompt_ids) :] for text in generate(model, [prompt_ids] * num_samples, max_tokens, sampling, seed=seed)
    ]
    tokens, ends = found[: len(found) - num_samples], found[len(found) - num_samples :]
    for sample, end in enumerate(ends):
        assert isinstance(end, EndEvent)
        mine = [event for event in tokens if isinstance(event, TokenEvent) and event.sample == sample]
        assert end.sample == sample
        assert end.token_ids == [event.token_id for event in mine] == drawn[sample][: len(mine)]
        assert [event.index for event in mine] == list(range(len(mine)))
        assert "".join(event.text for event in mine) + end.rest == end.text
        assert [event.token for event in mine] == [TOKENIZER.decode([token_id]) for token_id in end.token_ids]
        ended = TOKENIZER.endoftext in end.token_ids
        assert end.reason == ("end_of_text" if ended else "max_tokens")
        assert end.text == TOKENIZER.decode(end.token_ids[: -1 if ended else None])
        assert len(mine) == (max_tokens if not ended else drawn[sample].index(TOKENIZER.endoftext) + 1)


def test_a_sample_that_has_ended_is_silent_until_all_have(model: GPTModel) -> None:
    how: dict[str, Any] = {"max_tokens": 20, "num_samples": 3, "seed": 1}
    whole = [event for event in events(model, [5], **how) if isinstance(event, TokenEvent)]
    stop = next(event.token for event in whole if event.sample == 1 and event.index == 4)
    found = events(model, [5], **how, stop=(stop,))
    ends = [event for event in found if isinstance(event, EndEvent)]
    assert found[-3:] == ends
    assert ends[1].reason == "stop"
    assert len(ends[1].token_ids) <= 5
    assert stop not in ends[1].text


def test_probabilities_are_told_where_they_are_asked_for(model: GPTModel) -> None:
    silent = events(model, [5], max_tokens=3, seed=1)
    told = events(model, [5], max_tokens=3, seed=1, alternatives=2)
    for one, other in zip(silent[1:-1], told[1:-1], strict=True):
        assert isinstance(one, TokenEvent)
        assert isinstance(other, TokenEvent)
        assert one.choice is None
        assert other.choice is not None
        assert other.choice.token_id == other.token_id == one.token_id
        assert len(other.choice.alternatives) == 2
        plain = to_plain(other)
        assert list(plain) == [
            *("type", "sample", "index", "text", "token_id", "token"),
            *("log_prob", "probability", "rank", "entropy", "alternatives"),
        ]
        assert list(plain["alternatives"][0]) == ["token_id", "text", "probability"]
        assert "choice" not in to_plain(one)
    assert [to_plain(event)["type"] for event in told] == ["start", "token", "token", "token", "end"]
    json.dumps([to_plain(event) for event in told], allow_nan=False)


def test_prompts() -> None:
    fox = TOKENIZER.encode("The fox")
    assert encode_prompt(TOKENIZER, "The fox") == fox
    assert encode_prompt(TOKENIZER, "The fox", [1, 2]) == [*fox, 1, 2]
    assert encode_prompt(TOKENIZER, "", [7]) == [7]
    assert encode_prompt(TOKENIZER, "") == [TOKENIZER.endoftext]
    for prefix in ([-1], [TOKENIZER.vocab_size]):
        with pytest.raises(ValueError, match="token ids go from 0 to 50256"):
            encode_prompt(TOKENIZER, "a", prefix)
    with pytest.raises(ValueError, match="character"):
        encode_prompt(TOKENIZER, "caf\udce9")


def test_damaged_weights_are_told(model: GPTModel) -> None:
    torch.manual_seed(3)
    broken = GPTModel(model.config)
    torch.nn.init.constant_(broken.get_parameter("final_norm.scale"), torch.nan)
    found = stream_events(broken, TOKENIZER, [5], SamplingOptions())
    assert isinstance(next(found), StartEvent)
    with pytest.raises(ValueError, match="weights are damaged"):
        next(found)
