"""Makes the lab's sweepers known to Hydra, under the names by which ``conf/hydra/sweeper/`` calls them."""

import importlib
import sys
from types import ModuleType

from hydra.core.plugins import Plugins

from lab.sweeps.grid import Grid
from lab.sweeps.search import Search

_PACKAGE, _MODULE = "hydra_plugins", "gpt_lab"
"""Hydra takes plugins from this package only. It exists where one is installed; the module in it is made here."""


def register() -> None:
    """To be called before Hydra starts."""
    try:
        package = importlib.import_module(_PACKAGE)
    except ModuleNotFoundError:
        package = sys.modules[_PACKAGE] = ModuleType(_PACKAGE)
        package.__path__ = []
    module = ModuleType(f"{_PACKAGE}.{_MODULE}")
    for sweeper in (Grid, Search):
        sweeper.__module__ = module.__name__
        setattr(module, sweeper.__name__, sweeper)
        Plugins.instance().register(sweeper)
    sys.modules[module.__name__] = module
    setattr(package, _MODULE, module)
