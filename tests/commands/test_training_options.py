"""A command that does not train takes the words of one that does."""

import pytest

from lab.commands.training_options import training_config
from lab.errors import LabError


def test_the_words_of_a_training_make_its_configuration() -> None:
    config = training_config(["model=small", "optimizer.lr=0.5", "corpus=text", "corpus.path=a, (b).txt"])
    assert (config.model.emb_dim, config.optimizer.lr, config.corpus.path) == (512, 0.5, "a, (b).txt")


@pytest.mark.parametrize(("word", "said"), [("-m", "'-m' is no option"), ("model.emb_dims=2", "did you mean")])
def test_a_word_that_makes_no_sense_is_named(word: str, said: str) -> None:
    with pytest.raises(LabError, match=said):
        training_config([word])
