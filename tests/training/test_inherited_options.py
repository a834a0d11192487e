"""A checkpoint chooses among what there is, and sets plain values; it names no class and no address."""

from typing import Any

import pytest
from omegaconf import OmegaConf

from lab.config import compose
from lab.config.schema import check, to_plain
from lab.training.inherited_options import inherit


def earlier(*typed: str) -> dict[str, Any]:
    """The options of an earlier run, as its checkpoint has them."""
    then = to_plain(check(compose.compose_config(list(typed))))
    for logger in then["logger"].values():
        logger["save_dir"] = "/gone/since"  # the folder of that run
    return then


@pytest.mark.parametrize(
    "typed",
    [
        (),
        ("model=small", "optimizer=sgd", "optimizer.momentum=0.5", "schedule=wsd", "trainer.max_steps=7"),
        ("model.emb_dim=64", "data.stride=3", "logger=[csv,tensorboard]", "callbacks=early_stopping"),
        ("tokenizer=bpe", "tokenizer.vocab_size=300"),
        ("tokenizer=chars",),
        ("corpus=text", "corpus.path=it's (1).txt", "sample.prompt=a, b", "save=true", "save_every=3"),
        ("optimizer=muon", "optimizer.adamw_lr=0.5", "optimizer.nesterov=false", "optimizer.adjust_lr_fn=original"),
        ("+optimizer.amsgrad=true", "optimizer.embedding_lr=0.5", "optimizer.mup_base_width=64"),
    ],
)
def test_without_a_word_the_same_run_goes_on(typed: tuple[str, ...]) -> None:
    then = earlier(*typed)
    found = inherit(then, {})
    assert found.left_out == []
    again = to_plain(check(compose.compose_quoted(found.words)))
    for name in (
        "model",
        "tokenizer",
        "data",
        "optimizer",
        "schedule",
        "trainer",
        "corpus",
        "sample",
        "save",
        "save_every",
        "seed",
    ):
        assert again[name] == then[name], name
    assert again["logger"].keys() == then["logger"].keys()
    assert again["callbacks"].keys() == then["callbacks"].keys()


def test_what_is_typed_again_is_not_inherited() -> None:
    then = earlier("optimizer.lr=0.5", "optimizer.weight_decay=0.7", "trainer.max_steps=9", "save=true", "save_every=3")
    then["schedule"]["total_steps"] = 123
    words = inherit(then, {"optimizer.lr": "0.1", "trainer.max_epochs": "2", "save": "false"}).words
    names = {word.partition("=")[0] for word in words}
    assert "optimizer.weight_decay" in names
    assert not names & {"optimizer.lr", "trainer.max_epochs", "trainer.max_steps", "save", "save_every"}
    # A file that is typed brings what it says differently; what the run had changed stays.
    words = inherit(then, {"schedule": "wsd"}).words
    assert "schedule=wsd" not in words
    assert "schedule.name='cosine'" not in words
    assert "schedule.total_steps=123" in words


@pytest.mark.parametrize(
    ("path", "value", "left_out"),
    [
        ("optimizer._target_", "os.system", "optimizer=os.system"),
        ("callbacks.mine", {"_target_": "os.system", "command": "x"}, "callbacks.mine"),
        ("logger.mine", {"_target_": "os.system"}, "logger.mine"),
        ("logger.tensorboard.name", "../../away", "logger.tensorboard.name"),
        ("corpus.url", "http://example.org/x", "corpus.url"),
        ("corpus.sha256", "0" * 64, "corpus.sha256"),
        ("corpus.path", "/etc/passwd", "corpus.path"),
        ("metrics.mine", {"_target_": "os.system"}, "metrics.mine"),
        ("optimizer.options", {"fused": "a text"}, "optimizer.fused"),
        ("callbacks.mine", {"_target_": "idea.py:Mine"}, "callbacks.mine"),
    ],
)
def test_what_only_its_owner_can_give_is_left_out_and_said(path: str, value: Any, left_out: str) -> None:
    then = OmegaConf.create(earlier())
    OmegaConf.update(then, path, value, force_add=True)
    plain = OmegaConf.to_container(then)
    assert isinstance(plain, dict)
    found = inherit({str(key): item for key, item in plain.items()}, {})
    assert left_out in found.left_out
    assert not any(str(value) in word for word in found.words)


def test_a_name_of_code_is_taken_over_and_the_file_is_not() -> None:
    """``user_code.load`` asks for the file; whoever has typed it goes on with what it was for."""
    words = (
        "optimizer._target_=deep/idea.py:Mine",
        "+optimizer.beta=0.5",
        "optimizer.lr=0.25",
        "schedule.name=idea.py:half",
        "corpus.source=idea.py:texts",
        "+metrics.hit=idea.py:hit",
        "parts=[other.py]",
    )
    then = earlier(*words)
    found = inherit(then, {})
    assert found.left_out == []
    assert not any("other.py" in word for word in found.words)
    again = to_plain(check(compose.compose_quoted(found.words)))
    for name in ("optimizer", "schedule", "corpus", "metrics"):
        assert again[name] == then[name], name
    assert again["parts"] is None
    typed = {"optimizer": "sgd", "schedule.name": "wsd", "metrics.hit": "x"}
    assert not any("idea.py" in word for word in inherit(then, typed).words if not word.startswith("corpus"))


def test_values_of_other_kinds_are_no_words() -> None:
    for odd in ({"model": 7, "optimizer": "x", "data": None, "corpus": [], "logger": 3}, {"seed": {"a": 1}}, {}):
        found = inherit(odd, {})
        assert not any(word.startswith(("model.", "optimizer.", "seed=")) for word in found.words)


def test_no_checkpoint_names_a_file_of_a_tokenizer() -> None:
    found = inherit(earlier("tokenizer=hf", "tokenizer.path=/etc/shadow"), {})
    assert "tokenizer=hf" in found.words
    assert not [word for word in found.words if "shadow" in word or word.startswith("tokenizer.path")]
