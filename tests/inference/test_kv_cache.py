"""Reading on with what is kept of a text is reading it anew."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.twin import hugging_face_twin

from lab.inference.kv_cache import KVCache
from lab.inference.sampling import Sampling
from lab.inference.sampling import generate as generate_ids
from lab.model import GPTConfig, GPTModel


def test_greedy_text_is_hugging_faces() -> None:
    """500 tokens, until the two best logits differ by less than the rounding of two ways to compute them."""
    torch.manual_seed(5)
    shape = GPTConfig(emb_dim=64, n_layers=3, n_heads=4, context_length=640, drop_rate=0.0, vocab_size=50257)
    model = GPTModel(shape).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3)  # lively: an untrained model's best logits differ by too little
        model.position_embedding.weight.mul_(5)  # or it would soon repeat itself
    twin = hugging_face_twin(model).eval()
    for prompt in ([11, 50000, 7], [3], list(range(100, 190))):
        theirs = twin.generate(  # type: ignore[operator]
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            max_new_tokens=500,
            min_new_tokens=500,
            do_sample=False,
            use_cache=True,
            pad_token_id=50256,
            eos_token_id=None,
        )[0].tolist()
        (ours,) = generate_ids(model, [prompt], 500, Sampling(0))
        with torch.no_grad():
            best = model(torch.tensor([ours[:-1]]))[0].topk(2).values
        close = ((best[:, 0] - best[:, 1]) < 1e-4).nonzero().flatten()
        close = close[close >= len(prompt) - 1]
        sure = int(close[0]) + 1 if len(close) else len(ours)
        assert sure >= len(prompt) + 100
        assert ours[:sure] == theirs[:sure]
        assert len(set(ours[len(prompt) :])) > 20  # a text, not one token over and over


def small_model() -> GPTModel:
    torch.manual_seed(3)
    model = GPTModel(GPTConfig(emb_dim=16, n_layers=2, n_heads=2, context_length=12, drop_rate=0.0, vocab_size=31))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3)  # lively, so that a wrong column shows
    return model.eval()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=12), min_size=1, max_size=4), st.data())
def test_whatever_is_read_in_pieces_is_what_the_whole_text_says(texts: list[list[int]], data: st.DataObject) -> None:
    """Texts of different lengths side by side, each cut anywhere."""
    model = small_model()
    cuts = [data.draw(st.integers(1, len(text))) for text in texts]
    with torch.no_grad():
        cache = KVCache(model, len(texts))
        told = cache.read_texts([text[:cut] for text, cut in zip(texts, cuts, strict=True)])
        for row, (text, cut) in enumerate(zip(texts, cuts, strict=True)):
            whole = model.hidden(torch.tensor([text]))[0]
            assert torch.allclose(told[row], whole[cut - 1], atol=1e-5)
            for position in range(cut, len(text)):
                token, place = torch.tensor([[text[position]]]), torch.tensor([[position]])
                found = cache.read(token, place, torch.tensor([row]))[0, 0]
                assert torch.allclose(found, whole[position], atol=1e-5)


def test_what_is_read_again_replaces_what_was_known() -> None:
    model = small_model()
    with torch.no_grad():
        cache = KVCache(model, 2)
        cache.read_texts([[1, 2, 3, 4], [5, 6, 7, 8]])
        again = cache.read_texts([[9, 10]], torch.tensor([1]))
        assert torch.allclose(again[0], model.hidden(torch.tensor([[9, 10]]))[0, 1], atol=1e-5)
        on = cache.read(torch.tensor([[11], [12]]), torch.tensor([[4], [2]]))[:, 0]
        for row, text in enumerate(([1, 2, 3, 4, 11], [9, 10, 12])):
            assert torch.allclose(on[row], model.hidden(torch.tensor([text]))[0, -1], atol=1e-5)
