"""The configuration groups: the folders of ``conf/``, the files in them, and every option that they make."""

from functools import cache
from pathlib import Path

from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

import lab
from lab.config import resolvers
from lab.config.optimizer_schema import AdafactorConfig, AdamWConfig, MuonConfig, OptimizerConfig, SGDConfig
from lab.config.schema import Config

CONF_FOLDER = next(
    folder
    for here in [Path(lab.__file__).resolve().parent]
    # Installed as a wheel, the configuration lies inside the package; in a clone it lies beside it.
    for folder in (here / "conf", here.parent / "conf")
    if folder.is_dir()
)


def register() -> None:
    """Makes the schema and the resolvers known to Hydra; the files in ``conf/`` refer to them by these names."""
    resolvers.register()
    store = ConfigStore.instance()
    store.store(name="schema", node=Config)
    store.store(group="optimizer", name="adamw_schema", node=AdamWConfig)
    store.store(group="optimizer", name="sgd_schema", node=SGDConfig)
    store.store(group="optimizer", name="muon_schema", node=MuonConfig)
    store.store(group="optimizer", name="adafactor_schema", node=AdafactorConfig)


def group_choices(group: str) -> list[str]:
    """The files of a configuration group."""
    return sorted(file.stem for file in (CONF_FOLDER / group).glob("*.yaml"))


def group_names() -> list[str]:
    """The configuration groups: the folders of ``conf/``."""
    return sorted(folder.name for folder in CONF_FOLDER.iterdir() if folder.is_dir())


@cache
def shipped(group: str, choice: str) -> DictConfig:
    """What ``conf/GROUP/CHOICE.yaml`` says with all that it stands on; interpolations stay as they are.

    Read without Hydra, which takes a hundred times as long to compose a file, and there are two dozen of them.
    """
    file = CONF_FOLDER / group / f"{choice}.yaml"
    if not file.is_file():  # a schema, which lies in Hydra's store
        register()
        schema: DictConfig = OmegaConf.structured(ConfigStore.instance().load(f"{group}/{choice}.yaml").node)
        return schema
    own = OmegaConf.load(file)
    assert isinstance(own, DictConfig)
    below = [shipped(group, name) for name in own.pop("defaults", []) if isinstance(name, str) and name != "_self_"]
    return DictConfig(OmegaConf.merge(*below, own)) if below else own


@cache
def defaults() -> dict[str, str | None]:
    """Which file of each group is chosen unless another is."""
    root = OmegaConf.load(CONF_FOLDER / "train.yaml")
    assert isinstance(root, DictConfig)
    listed = root["defaults"]
    return {str(group): choice for entry in listed if isinstance(entry, DictConfig) for group, choice in entry.items()}


def optimizers() -> dict[str, type]:
    """The files of conf/optimizer, each with the dataclass of its options; the default one first."""
    found = {}
    for choice in sorted(group_choices("optimizer"), key=lambda name: name != defaults()["optimizer"]):
        schema = OmegaConf.get_type(shipped("optimizer", choice))
        # A file that names no schema of its own is laid over the one that all optimizers share.
        found[choice] = schema if schema is not None and issubclass(schema, OptimizerConfig) else OptimizerConfig
    return found


@cache
def option_names() -> list[str]:
    """Every option that can be given on the command line, by its full name; also one that only some optimizers have."""
    names = group_names()

    def walk(node: DictConfig, prefix: str) -> None:
        for key in map(str, node):
            child = node._get_node(key)
            if isinstance(child, DictConfig):
                walk(child, f"{prefix}{key}.")
            elif not key.startswith("_"):
                names.append(f"{prefix}{key}")

    walk(OmegaConf.structured(Config), "")
    for choice in group_choices("optimizer"):
        walk(shipped("optimizer", choice), "optimizer.")
    return list(dict.fromkeys(names))
