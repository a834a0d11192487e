"""Paths and texts, past Hydra's grammar."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lab.config import compose, quoting
from lab.errors import LabError


@settings(max_examples=12, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_literal_options_arrive_as_typed(value: str) -> None:
    if value == "null":
        return
    composed = compose.compose_config([f"corpus.path={value}", "corpus=text"])
    assert composed.corpus.path == value


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
    | st.text("\\'${}a:", max_size=9)
)
@example("\\${a}")
@example("\\\\${a:b}'\\'")
@example("\\\\")
def test_what_is_quoted_arrives_through_both_grammars(value: str) -> None:
    """Hydra's own parser and OmegaConf's interpolations, without the rest of the configuration."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from omegaconf import OmegaConf

    (found,) = OverridesParser.create().parse_overrides([quoting.quoted("name", value)])
    assert OmegaConf.create({"name": found.value()})["name"] == value


def test_only_paths_and_texts_are_quoted() -> None:
    words = ["optimizer.lr=1,2", "save", "resume=null", "model=[nano]", "-m"]
    assert quoting.quote_literals(words) == words
    assert quoting.quote_literals(["resume=123", "+sample.prompt=a, b"]) == ["resume='123'", "+sample.prompt='a, b'"]
    for empty in ("hydra.run.dir=", "hydra.sweep.subdir=", "logger.csv.save_dir="):
        with pytest.raises(LabError, match="is empty: give a folder"):
            quoting.quote_literals([empty])


def test_a_folder_keeps_hydras_own_interpolations_and_no_others() -> None:
    for mine in ("${now:%Y-%m-%d}/x", "lr=${optimizer.lr}"):
        assert mine in quoting.quote_literals([f"hydra.sweep.subdir={mine}"])[0]
    for strange in ("a/${nonsense:1}", "a/${no.option}", "a/${"):
        with pytest.raises(LabError, match="begins none of its interpolations"):
            quoting.quote_literals([f"hydra.run.dir={strange}"])


def test_a_folder_whose_name_is_omegaconfs_sign_for_missing_can_be_had() -> None:
    assert quoting.quote_literals(["hydra.run.dir=???", "logger.csv.save_dir=a"])[0] == "hydra.run.dir='./???'"
