"""Which tokenizer a run has: that of its options, of the run it goes on with, or of the weights that it begins with."""

from pathlib import Path

from lab.config.schema import Config, TokenizerConfig, TokenizerName
from lab.data.prepare import make_tokenizer
from lab.data.vocabulary import given
from lab.errors import LabError
from lab.interchange.pretrained import open_tokenizer
from lab.model import GPTConfig
from lab.tokenizers import definition
from lab.tokenizers.contract import TextTokenizer
from lab.training.resume import Earlier


def choose(config: Config, earlier: Earlier | None, start_folder: Path) -> TextTokenizer:
    """The tokenizer of a run; ``config.model.vocab_size`` follows it.

    Raises:
        LabError: if it cannot be had, or is another one than the run or the weights were trained with.
    """
    if earlier is not None:
        found = _of_earlier(config.tokenizer, earlier, start_folder)
    elif config.init_from is not None:
        found = _of_initial(config, start_folder)
    else:
        found = make_tokenizer(config.tokenizer, config.corpus, config.data, start_folder)
    asked = config.model.vocab_size
    told_by_options = config.tokenizer.name is TokenizerName.bpe  # of which a small text makes fewer
    if asked not in (found.vocab_size, GPTConfig().vocab_size) and not told_by_options:
        raise LabError(f"model.vocab_size={asked}: the tokenizer decides it, and it has {found.vocab_size} tokens")
    config.model.vocab_size = found.vocab_size
    return found


def _of_earlier(asked: TokenizerConfig, earlier: Earlier, start_folder: Path) -> TextTokenizer:
    """The one in the checkpoint: the file, or the text, that it was made from need not be there any more."""
    described = earlier.checkpoint["lab"]
    try:
        found = definition.make(described["tokenizer"])
    except LabError as error:
        raise LabError(f"{earlier.path} is not usable: {error}") from error
    then = described["config"].get("tokenizer") or {}
    differences = []
    if asked.name.name != found.name:
        differences.append(f"the tokenizer was {found.name} and is {asked.name.name}")
    elif asked.name is TokenizerName.bpe and asked.vocab_size != then.get("vocab_size"):
        differences.append(f"tokenizer.vocab_size was {then.get('vocab_size')} and is {asked.vocab_size}")
    elif asked.path is not None:
        other = given(asked, start_folder)
        if other is not None and other.fingerprint != found.fingerprint:
            differences.append(f"the tokenizer in tokenizer.path={asked.path} is another one")
    if differences:
        raise LabError(f"{earlier.path} belongs to another run: {'; '.join(differences)}")
    return found


def _of_initial(config: Config, start_folder: Path) -> TextTokenizer:
    """The one that the weights were trained with: to another, each row of the embedding would mean something else."""
    theirs = open_tokenizer(str(config.init_from), start_folder, "init_from")
    if config.tokenizer.name is TokenizerName.gpt2:  # nobody has asked for another
        name = TokenizerName[theirs.name]
        config.tokenizer = TokenizerConfig(name, theirs.vocab_size if name is TokenizerName.bpe else None)
        return theirs
    ours = make_tokenizer(config.tokenizer, config.corpus, config.data, start_folder)
    if ours.fingerprint != theirs.fingerprint:
        raise LabError(
            f"init_from={config.init_from} was trained with a tokenizer of its own ({theirs.name}), and "
            f"tokenizer={ours.name} makes another: leave tokenizer= out, and its own is taken"
        )
    return ours
