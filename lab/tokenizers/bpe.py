"""A vocabulary that fits the text: byte-pair encoding, learnt from the text itself.

Starts from the 256 bytes and joins, again and again, the pair that stands side by side most often (Sennrich et al.
2016, https://arxiv.org/abs/1508.07909; on bytes: Radford et al. 2019). GPT-2's 50,257 tokens were learnt from the web.
Of those, a small text uses a tenth, and a small model spends most of its parameters and of its time on the rest.
"""

from collections.abc import Iterable

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from lab.errors import LabError
from lab.tokenizer import ENDOFTEXT
from lab.tokenizers.bytes import N_BYTES
from lab.tokenizers.hf import JsonTokenizer

NAME = "bpe"
SMALLEST = N_BYTES + 1


def learn(texts: Iterable[str], vocab_size: int) -> JsonTokenizer:
    """The byte-level BPE of ``texts``: bytes, merges in the order they were learnt, and last ``<|endoftext|>``.

    The same texts give the same vocabulary. Of a small text, it may be smaller than ``vocab_size``: where no pair
    stands twice, there is nothing more to join.

    Raises:
        LabError: if ``vocab_size`` has no room for the bytes.
    """
    if vocab_size < SMALLEST:
        raise LabError(f"tokenizer.vocab_size={vocab_size} has no room for the bytes: it must be at least {SMALLEST}")
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - 1,
        min_frequency=2,
        show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    made.train_from_iterator(texts, trainer)
    made.add_special_tokens([AddedToken(ENDOFTEXT, special=True, normalized=False)])
    return JsonTokenizer(NAME, made.to_str())
