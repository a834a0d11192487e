"""The composed configuration."""

from lab.config import compose
from lab.config.schema import Config, check


def test_the_classic_options_have_the_promised_defaults() -> None:
    config = check(compose.compose_config([]))
    assert config.model.emb_dim == 256
    assert config.corpus.name == "fables"
    assert (config.data.batch_size, config.optimizer.lr, config.save, config.seed) == (4, 3e-4, False, 42)
    assert config.trainer.gradient_clip_val == 1.0
    assert config.optimizer.weight_decay == 0.1
    assert tuple(config.optimizer.betas) == (0.9, 0.95)  # type: ignore[attr-defined]


def test_the_schema_and_the_files_agree_on_defaults() -> None:
    """A value lives in two places, the dataclass and the default file of its group: they must not drift apart."""
    composed = check(compose.compose_config(["logger=none"]))
    plain = Config()
    for group in ("model", "data", "schedule", "trainer", "sample"):
        assert getattr(composed, group) == getattr(plain, group), group
