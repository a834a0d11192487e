"""The flags of the classic script, as messages and the README have them."""

import re

from support.commands import ROOT

from lab.config import classic_flags
from lab.config.groups import option_names


def test_the_readme_and_the_messages_name_the_same_options_for_the_classic_flags() -> None:
    table = re.findall(r"^\| (`--.*?) \| (`.*?`) \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    pairs: dict[str, str] = {}
    for flags, options in table:
        pairs |= zip(re.findall(r"`(--[\w-]+)`", flags), re.findall(r"`([\w.]+)=`", options), strict=True)
    assert pairs == classic_flags.CLASSIC
    known = [*option_names(), "hydra.run.dir"]
    assert set(pairs.values()) <= set(known)


def test_a_flag_is_known_however_it_is_typed() -> None:
    for word in ("--batch-size", "--batch_size", "-batch-size", "batch_size", "--BATCH-SIZE"):
        assert classic_flags.option(word) == "data.batch_size"
    assert classic_flags.option("--nonsense") is None
    assert classic_flags.option("") is None
