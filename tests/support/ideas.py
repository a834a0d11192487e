"""A file of a user's own, with one idea of each kind that needs no part of the model."""

IDEA = '''
import lightning as L
import torch
from torchmetrics import Metric


class SignSGD(torch.optim.Optimizer):
    """Bernstein et al. 2018: the sign of the averaged gradient."""

    def __init__(self, params, lr=1e-3, beta=0.9):
        super().__init__(params, {"lr": lr, "beta": beta})

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                average = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                average.lerp_(p.grad, 1 - group["beta"])
                p.mul_(1 - group["lr"] * group["weight_decay"]).add_(average.sign(), alpha=-group["lr"])
        return loss


def half(step, total_steps, warmup_steps):
    return 1.0 if step < total_steps // 2 else 0.5


def texts():
    for i in range(42):
        yield f"On day {i} the fox came to the mill.\\n"


def accuracy(logits, targets):
    return (logits.argmax(-1) == targets).float().mean()


class Seen(Metric):
    def __init__(self):
        super().__init__()
        self.add_state("n", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, logits, targets):
        assert logits.shape == (len(targets), 50257), logits.shape
        self.n += len(targets)

    def compute(self):
        return self.n


class Mine(L.Callback):
    def __init__(self, note):
        self.note = note

    def on_train_end(self, trainer, module):
        print("mine:", self.note, trainer.global_step)
'''

WORDS = (
    "optimizer._target_=idea.py:SignSGD",
    "+optimizer.beta=0.8",
    "schedule.name=idea.py:half",
    "corpus.source=idea.py:texts",
    "+metrics.accuracy=idea.py:accuracy",
    "+metrics.seen=idea.py:Seen",
    "+callbacks.mine._target_=idea.py:Mine",
    "+callbacks.mine.note=hello",
)
"""All of them at once."""
