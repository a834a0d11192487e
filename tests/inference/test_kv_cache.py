"""Reading on with what is kept of a text is reading it anew."""

import torch
from support.twin import hugging_face_twin

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
