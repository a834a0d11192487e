"""From a text to batches: corpora found and fetched, tokenized once, cut into windows.

May import: `lab.tokenizer`, `lab.tokenizers`, `lab.files`, `lab.config` for its schema. No Hydra, no Lightning.
"""

from lab.data.loader import get_dataloader

__all__ = ["get_dataloader"]
