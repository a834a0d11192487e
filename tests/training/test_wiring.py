"""What is chosen by a word is what the trainer is made of."""

from pathlib import Path

import pytest
import torch
from support.commands import TINY, scalars, tiny, train_here
from support.ideas import IDEA, WORDS
from support.runs import assert_same_run

from lab.config import compose
from lab.config.schema import check
from lab.model import GPTConfig, GPTModel
from lab.runs import events
from lab.training import wiring


def test_plain_gradient_descent_and_other_schedules(tmp_path: Path) -> None:
    for options in (("optimizer=sgd", "schedule=constant"), ("schedule=wsd",)):
        curve = scalars(tiny(tmp_path, *options, "trainer.max_steps=10", "eval_every=10").run)
        assert len(curve["learning_rate"]) == 10
    assert curve["learning_rate"][10] < curve["learning_rate"][8] == pytest.approx(3e-4)


def test_ideas_of_ones_own_train_and_go_on_only_with_their_file(tmp_path: Path) -> None:
    """Optimizer, schedule, corpus, metrics and callback out of one file; and their names are no leave to run it."""
    (tmp_path / "idea.py").write_text(IDEA)
    options = (*TINY, *WORDS, "data.batch_size=3", "trainer.max_steps=8", "eval_every=4", "log_every=1", "save=true")
    done = train_here(tmp_path, *options, "model.drop_rate=0.2", "save_every=3", "hydra.run.dir=whole")
    assert done.code == 0, done.err
    assert "mine: hello 8" in done.out
    assert "idea.py:half" in done.out
    curve = scalars(tmp_path / "whole")
    assert [curve["learning_rate"][step] for step in range(1, 9)] == pytest.approx([3e-4] * 4 + [1.5e-4] * 4)
    assert curve["val_seen"][8] > 40
    assert 0 <= curve["val_accuracy"][8] <= 1
    told = [event for event in events.read(tmp_path / "whole") if event["kind"] == "metrics" and event["step"] == 8]
    assert sum("val_accuracy" in event for event in told) == 1  # once, beside the loss
    checkpoint = "whole/checkpoints/step-00000003.ckpt"
    refused = train_here(tmp_path, f"resume={checkpoint}", "hydra.run.dir=part")
    assert refused.code == 1
    assert "with parts=idea.py" in refused.err
    assert len(refused.err.strip().splitlines()) <= 2
    again = train_here(tmp_path, f"resume={checkpoint}", "hydra.run.dir=part", "parts=idea.py", *WORDS[-2:])
    assert again.code == 0, again.err
    assert_same_run(tmp_path / "whole", tmp_path / "part")
    assert scalars(tmp_path / "part")["val_accuracy"] == curve["val_accuracy"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("optimizer._target_=torch.optim.RAdam", "+optimizer.decoupled_weight_dekay=true"), "did you mean optimizer."),
        (("+optimizer.amsgradd=true",), "optimizer.amsgradd: torch.optim.AdamW has no such option; did you mean"),
        (("optimizer._target_=torch.optim.Rprop", "optimizer.betas=[0.1,0.2]"), "optimizer.betas: torch.optim.Rprop"),
        (("optimizer.head_lr=1e-3",), "the head shares the matrix of the token embedding"),
        (("optimizer=muon", "optimizer.adjust_lr_fn=x"), "optimizer.adjust_lr_fn=x is unknown"),
        (("optimizer=muon", "optimizer.ns_steps=100"), "optimizer.ns_steps=100 is out of range"),
        (("optimizer._target_=idea.py:SignSGD", "+optimizer.alpha=1"), "optimizer.alpha: idea.py:SignSGD has no"),
        (("schedule.name=idea.py:none",), "there is no none in idea.py"),
        (("schedule.name=linear",), "schedule.name=linear does not fit: choose one of constant, cosine, wsd"),
        (("schedule.name=idea.py:accuracy",), "schedule.name=idea.py:accuracy fails at step 0"),
        (("corpus.source=idea.py:half",), "corpus.source=idea.py:half fails (TypeError"),
        (("+metrics.loss=idea.py:accuracy",), "the lab has a figure val_loss of its own"),
        (("+callbacks.mine._target_=idea.py:Seen",), "idea.py:Seen makes a Seen, and a lightning Callback is needed"),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else "",
)
def test_a_mistake_in_an_idea_is_one_sentence_and_leaves_nothing(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    (tmp_path / "idea.py").write_text(IDEA)
    done = train_here(tmp_path, *TINY, *words, "trainer.max_steps=1")
    assert done.code == 1
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["idea.py"]


def test_options_that_only_the_class_has_reach_it() -> None:
    words = ["optimizer._target_=torch.optim.RAdam", "+optimizer.decoupled_weight_decay=true", "optimizer.lr=0.5"]
    model = GPTModel(GPTConfig(4, 1, 1, 4, vocab_size=3))
    config = check(compose.compose_config(words))
    group = wiring.make_optimizer(config, model, "cpu").param_groups[0]
    assert (group["decoupled_weight_decay"], group["lr"], [*group["betas"]]) == (True, 0.5, [0.9, 0.95])
    config = check(compose.compose_config(["optimizer._target_=torch.optim.Rprop"]))  # which has no betas
    assert type(wiring.make_optimizer(config, model, "cpu")) is torch.optim.Rprop


def test_rates_of_their_own_and_mup_are_those_of_their_groups() -> None:
    model = GPTModel(GPTConfig(8, 1, 1, 4, vocab_size=3, tie_embeddings=False))

    def rates(*words: str) -> dict[str, tuple[float, float]]:
        config = check(compose.compose_config(["model.emb_dim=8", "model.tie_embeddings=false", *words]))
        groups = wiring.make_optimizer(config, model, "cpu").param_groups
        return {group["role"]: (group["lr"], group["weight_decay"]) for group in groups}

    assert rates("optimizer.head_lr=0.5", "optimizer.embedding_lr=0.25", "optimizer.lr=0.125") == {
        "hidden": (0.125, 0.1),
        "embedding": (0.25, 0.1),
        "head": (0.5, 0.1),
        "vector": (0.125, 0.0),
        "output_norm": (0.125, 0.0),
    }
    found = rates("optimizer=muon", "optimizer.adamw_lr=0.5", "optimizer.lr=0.25")
    assert found["hidden"] == (0.25, 0.1)
    assert found["head"] == found["embedding"] == (0.5, 0.1)
    found = rates("optimizer.mup_base_width=2", "optimizer.lr=0.5")
    assert (found["hidden"], found["output_norm"], found["head"]) == ((0.125, 0.4), (0.125, 0.0), (0.5, 0.1))
