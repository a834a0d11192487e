"""Muon and AdamW as one optimizer: each of them to the bit, and what they remember comes back."""

import copy

import pytest
import torch
from torch import nn
from torch.optim import SGD, AdamW
from torch.optim.lr_scheduler import LambdaLR

from lab.model import GPTConfig, GPTModel
from lab.optim import muon as muon_module
from lab.optim.muon import COEFFICIENTS, MuonAdamW, orthogonalized
from lab.optim.parameter_groups import Role, decay_groups, keep_order, role, role_groups

RATES: dict[Role, float] = {
    "hidden": 0.02,
    "other": 0.02,
    "embedding": 3e-3,
    "head": 1e-3,
    "vector": 5e-3,
    "output_norm": 5e-3,
}


def _model(tied: bool = False) -> GPTModel:
    torch.manual_seed(3)
    return GPTModel(GPTConfig(16, 2, 2, 8, drop_rate=0.0, vocab_size=11, tie_embeddings=tied))


def _backward(model: GPTModel, step: int) -> None:
    tokens = torch.randint(0, 11, (2, 8), generator=torch.Generator().manual_seed(step))
    model.zero_grad()
    model.loss(tokens[:, :-1], tokens[:, 1:]).backward()


@pytest.mark.parametrize("adjust", ["original", "match_rms_adamw"])
def test_each_half_is_torchs_own(adjust: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over five steps, with a schedule: the matrices in the blocks as torch.optim.Muon has them, the rest as AdamW."""
    monkeypatch.setattr("lab.system.bfloat16.native", lambda: (True, ""))  # torch's always does
    ours, theirs = _model(), _model()
    groups = role_groups(ours, 0.1, RATES)
    mine = MuonAdamW(groups, momentum=0.9, ns_steps=4, adjust_lr_fn=adjust, betas=(0.8, 0.9), eps=1e-6)
    named = dict(theirs.named_parameters())
    hidden = [p for n, p in named.items() if n.startswith("blocks.") and p.dim() == 2]
    assert len(hidden) == 8
    muon = torch.optim.Muon(hidden, 0.02, 0.1, 0.9, ns_steps=4, adjust_lr_fn=adjust)
    rates = {"token_embedding.weight": 3e-3, "position_embedding.weight": 3e-3, "head.weight": 1e-3}
    adamw = AdamW(
        [
            {"params": [p], "lr": rates.get(n, 5e-3), "weight_decay": 0.1 if n in rates else 0.0}
            for n, p in named.items()
            if all(p is not other for other in hidden)
        ],
        betas=(0.8, 0.9),
        eps=1e-6,
    )
    schedules = [LambdaLR(one, lambda step: 1 / (1 + step)) for one in (mine, muon, adamw)]
    for step in range(5):
        for model in (ours, theirs):
            _backward(model, step)
        for one in (mine, muon, adamw):
            one.step()
        for schedule in schedules:
            schedule.step()
    for name, parameter in ours.named_parameters():
        assert torch.equal(parameter, named[name]), name
    assert mine.param_groups[0]["lr"] == pytest.approx(0.02 / 6)


def test_its_state_is_numbered_like_anyone_elses_and_comes_back_to_the_bit() -> None:
    def steps(model: GPTModel, optimizer: MuonAdamW, first: int) -> None:
        for step in range(first, first + 3):
            _backward(model, step)
            optimizer.step()

    def made(model: GPTModel) -> MuonAdamW:
        optimizer = MuonAdamW(role_groups(model, 0.1, RATES))
        fresh = optimizer.state_dict()["param_groups"]
        optimizer.register_load_state_dict_pre_hook(lambda _, state: {**state, "param_groups": fresh})
        keep_order(optimizer, model)
        return optimizer

    one = _model()
    optimizer = made(one)
    steps(one, optimizer, 0)
    saved = copy.deepcopy(optimizer.state_dict())
    assert [len(group["params"]) for group in saved["param_groups"]] == [len(g["params"]) for g in decay_groups(one, 0)]
    parameters = [p for group in decay_groups(one, 0) for p in group["params"]]
    names = {id(p): n for n, p in one.named_parameters()}
    for number, parameter in enumerate(parameters):
        kept = saved["state"][number]
        of_muon = role(names[id(parameter)], parameter) == "hidden"
        assert set(kept) == ({"momentum_buffer"} if of_muon else {"exp_avg", "exp_avg_sq", "step"})
        assert kept["momentum_buffer" if of_muon else "exp_avg"].shape == parameter.shape
    other = copy.deepcopy(one)
    steps(one, optimizer, 3)
    again = made(other)
    again.load_state_dict(saved)
    steps(other, again, 3)
    for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_it_works_without_either_half_and_runs_a_closure() -> None:
    vector = nn.Parameter(torch.ones(3))
    optimizer = MuonAdamW([{"params": [vector], "role": "vector"}], 0.5, 0.0)

    def loss() -> float:
        vector.grad = torch.ones(3)
        return 4.0

    assert optimizer.step(loss) == 4.0
    assert torch.allclose(vector, torch.full((3,), 0.5))


def test_a_state_of_two_groups_is_left_as_it_is() -> None:
    model = _model(tied=True)
    optimizer = SGD(decay_groups(model, 0.1), lr=0.1, momentum=0.9)
    keep_order(optimizer, model)
    assert "lr" in optimizer.state_dict()["param_groups"][0]


@pytest.mark.parametrize("shape", [(12, 40), (40, 12), (16, 16)])
def test_singular_values_become_about_one_and_singular_vectors_stay(shape: tuple[int, int]) -> None:
    """Against the polynomial applied to the singular values themselves, in float64."""
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(5))
    left, values, right = torch.linalg.svd(matrix.double(), full_matrices=False)
    values = values / matrix.double().norm()
    a, b, c = COEFFICIENTS
    for _ in range(5):
        values = a * values + b * values**3 + c * values**5
    assert ((values > 0.6) & (values < 1.3)).all()
    found = orthogonalized(matrix, 5, torch.float32)
    assert found.dtype is torch.float32
    assert torch.allclose(found.double(), left @ values.diag() @ right, atol=1e-4)


@pytest.mark.parametrize("native", [True, False])
def test_where_bf16_is_emulated_the_products_are_in_fp32(native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.system.bfloat16.native", lambda: (native, ""))
    taken: list[torch.dtype] = []

    def seen(matrix: torch.Tensor, steps: int, numbers: torch.dtype) -> torch.Tensor:
        taken.append(numbers)
        return orthogonalized(matrix, steps, numbers)

    monkeypatch.setattr(muon_module, "orthogonalized", seen)
    model = _model()
    _backward(model, 0)
    MuonAdamW(role_groups(model, 0.1, RATES)).step()
    assert len(taken) == 8
    assert set(taken) == {torch.bfloat16 if native else torch.float32}
