"""The parts of a mixture by their options."""

from pathlib import Path
from typing import Any

import pytest

from lab.config.choices import group_choices
from lab.config.compose import compose_config
from lab.config.corpora import anchor_part, parts_of, preset
from lab.config.corpus_schema import CorpusConfig
from lab.config.schema import check
from lab.errors import LabError


def mix(parts: Any, weights: list[float] | None = None) -> CorpusConfig:
    return CorpusConfig("mix", "mix", parts=parts, weights=weights)


def test_a_preset_is_what_the_command_line_makes_of_it() -> None:
    for name in set(group_choices("corpus")) - {"text", "hf", "bin"}:  # which need to be told more
        assert preset(name) == check(compose_config([f"corpus={name}"])).corpus


def test_parts_are_names_paths_and_groups_of_options() -> None:
    parts = parts_of(
        mix(
            [
                "fables",
                "/a/my notes.txt",
                {"corpus": "grammar", "seed": 7},
                {"path": "/b/x", "document_separator": "--"},
            ]
        )
    )
    assert list(parts) == ["fables", "my_notes", "grammar", "x"]
    assert parts["fables"] == preset("fables")
    assert (parts["my_notes"].source, parts["my_notes"].path) == ("path", "/a/my notes.txt")
    assert (parts["grammar"].seed, parts["grammar"].documents) == (7, preset("grammar").documents)
    assert parts["x"].document_separator == "--"


def test_parts_of_one_name_are_told_apart() -> None:
    assert list(parts_of(mix(["fables", "fables", "/a/fables.txt"]))) == ["fables", "fables-2", "fables-3"]


def test_the_command_line_takes_them() -> None:
    parts = "[fables, ~/my notes (1)/*.txt,{corpus:grammar,seed:7},{path: C:\\x y,document_separator:---},C:\\z]"
    words = ["corpus=mix", f"corpus.parts={parts}", "corpus.weights=[2,0.5,1,1,1]"]
    found = check(compose_config(words)).corpus
    assert found.parts == [
        *("fables", "~/my notes (1)/*.txt", {"corpus": "grammar", "seed": 7}),
        {"path": "C:\\x y", "document_separator": "---"},
        "C:\\z",
    ]
    assert found.weights == [2.0, 0.5, 1.0, 1.0, 1.0]


def test_paths_are_anchored_where_they_were_typed(tmp_path: Path) -> None:
    assert anchor_part("fables", tmp_path) == "fables"
    assert anchor_part("a.txt", tmp_path) == str(tmp_path / "a.txt")
    assert anchor_part({"path": "a.txt", "x": 1}, tmp_path) == {"path": str(tmp_path / "a.txt"), "x": 1}


@pytest.mark.parametrize(
    ("parts", "weights", "said"),
    [
        (None, None, "corpus=mix needs its parts"),
        ([], None, "corpus=mix needs its parts"),
        (["fables", "verdict"], [1.0], "has 1 numbers for 2 parts"),
        (["fables", "verdict"], [0.0, 0.0], "sum to 0"),
        ([3], None, "3 is no corpus"),
        ([{"corpus": "fabels"}], None, "fabels cannot be a part: choose among fables, fineweb_edu, grammar"),
        (["mix"], None, "mix cannot be a part"),
        (["text"], None, "the part text has no path"),
        ([{"corpus": "fables", "path": "x"}], None, "has a place of its own"),
        ([{"corpus": "fables", "seed": 1}], None, "only grammar has"),
        ([{"corpus": "grammar", "seed": "x"}], None, "must be a whole number"),
        ([{"corpus": "grammar", "documents": 0}], None, "documents=0 is out of range"),
        ([{"corpus": "fables", "url": "http://x"}], None, "a part has no option url"),
        ([{"path": "x", "document_separator": ""}], None, "must be a text"),
    ],
)
def test_what_is_no_mixture_is_told(parts: Any, weights: list[float] | None, said: str) -> None:
    with pytest.raises(LabError, match="corpus") as told:
        parts_of(mix(parts, weights))
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_weights_are_at_least_0() -> None:
    with pytest.raises(LabError, match=r"corpus\.weights=-1 is out of range: it must be at least 0"):
        check(compose_config(["corpus=mix", "corpus.parts=[fables,verdict]", "corpus.weights=[-1,2]"]))
    with pytest.raises(LabError, match=r"corpus\.weights= goes with corpus=mix"):
        check(compose_config(["corpus.weights=[1,2]"]))
