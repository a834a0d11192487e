"""The rules that concern several options of a corpus, each told in its own sentence."""

import pytest

from lab.config import compose
from lab.config.schema import check
from lab.errors import LabError


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["corpus=text"], "corpus=text needs a text: add corpus.path=FILE"),
        (["corpus=bin"], "corpus=bin needs a file of token ids: add corpus.path=train.bin"),
        (["corpus=hf"], "corpus=hf needs a dataset: add corpus.name=OWNER/NAME"),
        (
            ["corpus=bin", "corpus.path=x.bin", "corpus.dtype=int8"],
            "corpus.dtype=int8 does not fit: choose one of uint16",
        ),
        (["corpus.document_separator="], "corpus.document_separator= is empty"),
        (["corpus.source=url"], "corpus.source=url needs to know what to fetch"),
        (["corpus.seed=1"], "corpus.seed= goes with corpus=grammar: leave it out"),
        (["corpus=text", "corpus.path=x", "corpus.weights=[1]"], "corpus.weights= goes with corpus=mix: leave it out"),
        (["corpus=grammar", "corpus.documents=null"], "corpus=grammar needs corpus.documents="),
        (["corpus.source=nowhere"], "corpus.source=nowhere does not fit"),
    ],
    ids=" ".join,
)
def test_options_that_do_not_go_together_are_told(words: list[str], said: str) -> None:
    with pytest.raises(LabError) as error:
        check(compose.compose_config(words))
    assert said in str(error.value)
