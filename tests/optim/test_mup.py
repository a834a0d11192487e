"""muP: what grows and what shrinks with the width, and that the folded output multiplier is one."""

import torch

from lab.model import GPTConfig, GPTModel
from lab.optim import mup
from lab.optim.parameter_groups import role_groups


def _model(width: int) -> GPTModel:
    torch.manual_seed(0)
    return GPTModel(GPTConfig(width, 2, width // 8, 16, drop_rate=0.0, vocab_size=31))


def test_first_weights_and_rates_follow_the_recipe() -> None:
    plain, scaled = _model(32), _model(32)
    mup.rescale(scaled, 4.0)
    for (name, before), after in zip(plain.named_parameters(), scaled.parameters(), strict=True):
        factor = 0.25 if name.startswith("final_norm") else 0.5 if "blocks" in name and before.dim() == 2 else 1.0
        assert torch.equal(after, before * factor), name
    with torch.no_grad():  # the head's output is divided by the ratio
        hidden = torch.nn.functional.layer_norm(torch.randn(3, 32), (32,))
        assert torch.allclose(scaled.head(hidden * scaled.final_norm.scale), scaled.head(hidden) / 4)
    groups = role_groups(scaled, 0.1, mup.rates(1e-2, 4.0), {"hidden": 0.4})
    told = {group["role"]: (group["lr"], group["weight_decay"]) for group in groups}
    assert told == {
        "hidden": (2.5e-3, 0.4),
        "embedding": (1e-2, 0.1),
        "vector": (1e-2, 0.0),
        "output_norm": (2.5e-3, 0.0),
    }


def test_the_first_step_changes_the_logits_alike_at_every_width() -> None:
    """The property that the recipe is made for (their section 5): neither vanishing nor exploding with the width."""
    moved: dict[bool, list[float]] = {True: [], False: []}
    for scaling, found in moved.items():
        for width in (32, 128, 512):
            model, ratio = _model(width), width / 32 if scaling else 1.0
            mup.rescale(model, ratio)
            optimizer = torch.optim.AdamW(role_groups(model, 0.0, mup.rates(1e-2, ratio)))
            tokens = torch.randint(0, 31, (8, 17), generator=torch.Generator().manual_seed(1))
            before = model(tokens[:, :-1]).detach()
            for _ in range(3):
                optimizer.zero_grad()
                model.loss(tokens[:, :-1], tokens[:, 1:]).backward()
                optimizer.step()
            found.append((model(tokens[:, :-1]).detach() - before).std().item())
    assert max(moved[True]) / min(moved[True]) < 1.6
    assert moved[False][2] / moved[False][0] > 2.5
