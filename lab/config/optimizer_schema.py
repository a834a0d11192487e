"""The options of optimizers: a dataclass for each file in ``conf/optimizer`` that has options of its own. Their ranges
stand in ``lab.config.limits`` with those of all others."""

from dataclasses import dataclass, field
from typing import Any

from lab.config import choices
from lab.config.docs import MISSING
from lab.errors import LabError, shown

ADJUST_LR_FNS = ("match_rms_adamw", "original")
"""The choices of ``optimizer.adjust_lr_fn``."""


@dataclass
class OptimizerConfig:
    """What every optimizer has; the groups in conf/optimizer add their own."""

    _target_: str = MISSING
    lr: float = 3e-4
    """Peak learning rate; the schedule multiplies it with a factor from 0 to 1."""
    weight_decay: float = 0.1
    """Pull towards zero on matrices; biases and norms have none."""
    options: dict[str, Any] = field(default_factory=dict)
    """What the class takes beyond these: `+optimizer.NAME=VALUE`."""


@dataclass
class AdamWConfig(OptimizerConfig):
    """Adam with decoupled weight decay, Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101."""

    _target_: str = "torch.optim.AdamW"
    betas: tuple[float, float] = (0.9, 0.95)
    """Memory of the running mean and of the running square of the gradient. GPT-3's; torch's own 0.999 for the
    second forgets a burst of large gradients too slowly for language."""
    eps: float = 1e-8
    """Keeps the division by the running square from exploding."""
    embedding_lr: float | None = None
    """Peak rate of the tables of tokens and positions (also where the head shares them); null: lr."""
    head_lr: float | None = None
    """Peak rate of a head of its own, model.tie_embeddings=false; null: lr."""
    mup_base_width: int | None = None
    """The model.emb_dim at which lr was found. muP scales rates and first weights from it to the width of this model,
    see lab/optim/mup.py; null: nothing is scaled."""


@dataclass
class MuonConfig(OptimizerConfig):
    """Muon for the matrices inside the blocks, AdamW for the rest, see lab/optim/muon.py."""

    _target_: str = "lab.optim.muon.MuonAdamW"
    lr: float = 3e-3
    """Peak learning rate of the matrices inside the blocks."""
    adamw_lr: float | None = None
    """Peak rate of all else; null: lr."""
    embedding_lr: float | None = None
    """Peak rate of the tables of tokens and positions (also where the head shares them); null: adamw_lr."""
    head_lr: float | None = None
    """Peak rate of a head of its own, model.tie_embeddings=false; null: adamw_lr."""
    momentum: float = 0.95
    """Share of the last average of gradients that is carried into the next."""
    nesterov: bool = True
    """Step from where the momentum would lead."""
    ns_steps: int = 5
    """Newton-Schulz steps that make the singular values of a step alike."""
    adjust_lr_fn: str = "match_rms_adamw"
    """How the step grows with the matrix: match_rms_adamw, to the size of AdamW's, which then takes the same lr; or
    original, by sqrt(max(1, rows / columns)), for rates around 0.02 and an adamw_lr of its own."""
    betas: tuple[float, float] = (0.9, 0.95)
    """Of AdamW: memory of the running mean and of the running square of the gradient."""
    eps: float = 1e-8
    """Of AdamW."""


@dataclass
class AdafactorConfig(OptimizerConfig):
    """Adam's running squares from their rows and columns only, Shazeer and Stern 2018,
    https://arxiv.org/abs/1804.04235."""

    _target_: str = "torch.optim.Adafactor"
    lr: float = 1e-2
    """Peak learning rate, as a share of the size of the weights: a matrix moves by lr times its root mean square."""
    beta2_decay: float = -0.8
    """The memory of the running square at step t is 1 - t to this power."""
    d: float = 1.0
    """An update whose root mean square is larger is scaled down to it."""


@dataclass
class SGDConfig(OptimizerConfig):
    """Plain gradient descent with momentum: here to show what AdamW is good for."""

    _target_: str = "torch.optim.SGD"
    momentum: float = 0.9
    """Share of the last step that is carried into the next."""


SCHEMAS: dict[str, type[OptimizerConfig]] = {
    "muon_schema": MuonConfig,
    "adafactor_schema": AdafactorConfig,
    "adamw_schema": AdamWConfig,
    "sgd_schema": SGDConfig,
}
"""What the files in conf/optimizer call them. Of an option that two of them have, a checkpoint's is held to the type of
the later one."""


KNOWN = tuple(SCHEMAS.values())
"""Those whose options the lab knows; any other class is the user's own."""


def optimizers() -> dict[str, type[OptimizerConfig]]:
    """The files of conf/optimizer, each with the dataclass of its options; the default one first."""
    default = choices.defaults()["optimizer"]
    return {name: _schema(name) for name in sorted(choices.group_choices("optimizer"), key=lambda n: n != default)}


def _schema(choice: str) -> type[OptimizerConfig]:
    for below in choices.based_on("optimizer", choice):
        return SCHEMAS[below] if below in SCHEMAS else _schema(below)
    return OptimizerConfig  # a file that names no schema of its own is laid over the one that all optimizers share


def check_optimizer(optimizer: OptimizerConfig, tied: bool) -> None:
    """What no type and no range says; ``tied`` is ``model.tie_embeddings``.

    Raises:
        LabError: naming the first option that is wrong.
    """
    if isinstance(optimizer, AdamWConfig | MuonConfig):
        if len(optimizer.betas) != 2:
            raise LabError(
                f"optimizer.betas={list(optimizer.betas)} does not fit: it must be two numbers, such as [0.9,0.95]"
            )
        if optimizer.head_lr is not None and tied:
            raise LabError(
                f"optimizer.head_lr={optimizer.head_lr:g}: the head shares the matrix of the token embedding here: "
                "give optimizer.embedding_lr, or model.tie_embeddings=false"
            )
    if isinstance(optimizer, MuonConfig) and optimizer.adjust_lr_fn not in ADJUST_LR_FNS:
        raise LabError(
            f"optimizer.adjust_lr_fn={shown(optimizer.adjust_lr_fn)} is unknown: choose one of "
            f"{', '.join(ADJUST_LR_FNS)}"
        )
