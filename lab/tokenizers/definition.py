"""A tokenizer as plain values: how a checkpoint carries it, and how it is built again."""

from typing import Any

from lab.errors import LabError
from lab.files.validation import Unfit, parts, said, text, whole
from lab.tokenizer import Tokenizer
from lab.tokenizers import hf
from lab.tokenizers.bytes import ByteTokenizer
from lab.tokenizers.chars import CharTokenizer
from lab.tokenizers.contract import Definition, TextTokenizer

_JSON = parts({"name": text(100), "tokenizer_json": text(hf.LARGEST_JSON), "endoftext": whole(0, hf.MOST_TOKENS)})
_KINDS = {
    "bytes": parts({"name": text(100)}),
    "chars": parts({"name": text(100), "characters": text(0x110000)}),
    "bpe": _JSON,
    "hf": _JSON,
}


def check(value: Any, where: str) -> Definition:
    """A definition from a file: of a kind that there is, with its parts. What a ``tokenizer_json`` says is looked at
    when the tokenizer is built, and not here, where it must be quick.

    Raises:
        Unfit: if it is something else.
    """
    if not isinstance(value, dict):
        name: str = text(100)(value, where)
        return name
    kind = _KINDS.get(str(value.get("name")))
    if kind is None:
        raise Unfit(f"{where}.name is {said(value.get('name'))}, and must be one of {', '.join(_KINDS)}")
    found: dict[str, Any] = kind(value, where)
    return found


def make(definition: Definition) -> TextTokenizer:
    """The tokenizer of a definition that has passed ``check``.

    Raises:
        LabError: if it is none that this version of the lab knows, or it is damaged.
    """
    if definition == Tokenizer.name:
        return Tokenizer()
    if isinstance(definition, str):
        raise LabError(f"its tokenizer is {definition!a:.60}, which this version of the lab does not know")
    match definition["name"]:
        case "bytes":
            return ByteTokenizer()
        case "chars":
            try:
                return CharTokenizer(definition["characters"])
            except ValueError as error:
                raise LabError(f"the characters of its tokenizer are damaged: {error}") from error
        case "bpe" | "hf" as name:
            return hf.JsonTokenizer(name, definition["tokenizer_json"], definition["endoftext"])
    raise LabError(f"its tokenizer is {definition['name']!a:.60}, which this version of the lab does not know")


def called(definition: Definition) -> str:
    """The name of a tokenizer, for a sentence."""
    return definition if isinstance(definition, str) else str(definition["name"])
