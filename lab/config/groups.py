"""The configuration groups as Hydra has them: what their files say, and every option that they make."""

from functools import cache

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from omegaconf import DictConfig, OmegaConf

from lab.config import resolvers
from lab.config.choices import CONF_FOLDER, HYDRA_GROUPS, based_on, group_choices, group_names
from lab.config.optimizer_schema import SCHEMAS
from lab.config.schema import Config


def register() -> None:
    """Makes the schema and the resolvers known to Hydra; the files in ``conf/`` refer to them by these names."""
    resolvers.register()
    store = ConfigStore.instance()
    store.store(name="schema", node=Config)
    for name, schema in SCHEMAS.items():
        store.store(group="optimizer", name=name, node=schema)
    Plugins.instance()  # imports what is installed, which puts its own configuration into the store
    for group in HYDRA_GROUPS:
        kind = group.removeprefix("hydra/")
        for choice in group_choices(group):  # a file of ours stands in its place, and is not checked against it
            store.repo["hydra"].get(kind, {}).pop(f"{choice}.yaml", None)


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
    own.pop("defaults", None)
    below = [shipped(group, name) for name in based_on(group, choice)]
    return DictConfig(OmegaConf.merge(*below, own)) if below else own


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
