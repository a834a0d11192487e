"""What a run has in its hands once its options have become data."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.config.schema import Config

if TYPE_CHECKING:
    from lab.config.plan import Plan
    from lab.data.prepare import Corpus
    from lab.training.datamodule import LabData


@dataclass(frozen=True)
class Prepared:
    """The options of a run, and what has become of them: enough to say what it is about to do, or has done."""

    config: Config
    plan: "Plan"
    """Its steps and intervals."""
    corpus: "Corpus"
    """Its text, and the tokens of that."""
    data: "LabData"
    """The tokens, cut into windows to train on and to validate with."""
