"""A plain PyTorch loader over a text, for notebooks; and how every loader of the lab is made."""

from typing import Any

from torch.utils.data import DataLoader

from lab.data import corpus, token_file
from lab.data.corpus import Document
from lab.data.windows import Batch, Windows
from lab.errors import LabError
from lab.tokenizer import Tokenizer


def get_dataloader(
    text: str | None = None,
    *,
    batch_size: int = 4,
    context_length: int = 256,
    stride: int | None = None,
    shuffle: bool = True,
    drop_last: bool = True,
    num_workers: int = 0,
) -> DataLoader[Batch]:
    """A plain PyTorch loader over the windows of ``text`` (default: the bundled fables), for notebooks.

    One pass over it is one epoch of ``(inputs, targets)`` batches, each ``(batch_size, context_length)`` int64. The
    shuffle follows torch's global seed.

    Raises:
        LabError: if the text has not enough tokens for one window.
    """

    def read() -> Any:
        documents: list[Document] = [iter([text])] if text is not None else []
        return iter(documents) if documents else corpus.documents(corpus.find_files("fables", corpus.bundled_folder()))

    tokens = token_file.tokenize(read, Tokenizer()).open()
    windows = Windows(tokens, context_length, stride)
    if len(windows) < (batch_size if drop_last else 1):
        fewer = f" or batch_size={len(windows)}" if len(windows) else ""
        raise LabError(
            f"the text has {len(tokens):,} tokens, {len(windows)} windows of context_length={context_length}: too few "
            f"for a batch of {batch_size}; give a longer text, a shorter context_length{fewer}"
        )
    return batch_loader(windows, num_workers, batch_size=batch_size, shuffle=shuffle, drop_last=drop_last)


def batch_loader(dataset: Any, num_workers: int, **options: Any) -> DataLoader[Batch]:
    """A loader over a dataset that returns whole batches ``(inputs, targets)``, each ``(batch, context_length)``."""
    # The datasets already return whole batches: there is nothing left to collate.
    return DataLoader(
        dataset,
        num_workers=num_workers,
        collate_fn=_as_it_is,
        persistent_workers=num_workers > 0,
        **options,
    )


def _as_it_is(batch: Any) -> Any:
    return batch
