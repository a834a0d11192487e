"""What later models put in the place of GPT-2's parts: a short file each, with its paper, its reason and its price.

``build_model(config)`` makes a model of them; ``contract`` says what a part of your own has to be.

May import: `lab.errors`, `lab.files`, `lab.kernels`, `lab.model`. No Lightning, no Hydra.
"""

from lab.parts.build import build_model
from lab.parts.config import ModelConfig

__all__ = ["ModelConfig", "build_model"]
