"""What the command lines have in common: options typed as they are meant, and mistakes told in one sentence."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig

from lab.config.choices import CONF_FOLDER
from lab.config.explain import explained
from lab.config.groups import register
from lab.config.quoting import quote_literals


def compose_config(overrides: Sequence[str]) -> DictConfig:
    """The training configuration under ``overrides``, composed without running anything.

    Raises:
        LabError: if an override makes no sense.
    """
    return compose_quoted(quote_literals(overrides))


def compose_quoted(overrides: Sequence[str], with_hydra: bool = False) -> DictConfig:
    """As ``compose_config``, for overrides that are Hydra's grammar already. ``with_hydra``: with Hydra's own options,
    under ``hydra``."""
    register()
    # Hydra keeps one configuration per process; a caller may be inside a run already.
    with explained(overrides), _own_hydra(), initialize_config_dir(str(CONF_FOLDER), version_base="1.3"):
        return compose("train", overrides=list(overrides), return_hydra_config=with_hydra)


@contextmanager
def _own_hydra() -> Iterator[None]:
    outer = GlobalHydra.instance().hydra
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = outer
