"""What there is in conf/, found by looking."""

from omegaconf import DictConfig, OmegaConf

from lab.config.choices import CONF_FOLDER, based_on, defaults, first_sentence, group_choices, group_names


def test_the_first_line_of_a_file_is_no_directive_of_hydras() -> None:
    assert first_sentence("model", "nano")
    for group in group_names():
        for choice in group_choices(group):
            assert not first_sentence(group, choice).startswith(("@", "#", " ")), choice


def test_the_defaults_are_what_hydra_reads() -> None:
    listed = OmegaConf.load(CONF_FOLDER / "train.yaml").defaults
    assert defaults() == {k: v for entry in listed if isinstance(entry, DictConfig) for k, v in entry.items()}
    assert defaults()["model"] == "nano"
    assert defaults()["sweep"] is None


def test_what_a_file_is_laid_over() -> None:
    assert based_on("optimizer", "muon") == ["muon_schema"]
    assert based_on("corpus", "fables") == []
