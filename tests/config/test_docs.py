"""What the help says of an option is what stands under it in the source."""

import dataclasses

import omegaconf

from lab.config.docs import entry, field_docs
from lab.config.limits import Limit
from lab.config.schema import Config


def test_every_option_is_documented() -> None:
    def walk(schema: type) -> None:
        documented = field_docs(schema)
        for f in dataclasses.fields(schema):
            nested = dataclasses.is_dataclass(f.default_factory)
            if nested:
                walk(f.default_factory)  # type: ignore[arg-type]
            elif not f.name.startswith("_"):
                assert len(documented.get(f.name, "")) > 10, f"{schema.__name__}.{f.name}"

    walk(Config)


@dataclasses.dataclass
class Base:
    """A schema."""

    first: int = 3
    """What the first
    one does."""
    bare: bool = True
    last: str | None = None
    """Its own."""


@dataclasses.dataclass
class Derived(Base):
    """A schema on top of it."""

    last: str | None = None
    """Another."""
    given: float = dataclasses.field(default=omegaconf.MISSING)
    """Must be."""


def test_the_string_under_a_field_is_its_text() -> None:
    assert field_docs(Base) == {"first": "What the first one does.", "last": "Its own."}
    assert field_docs(Derived) == {"first": "What the first one does.", "last": "Another.", "given": "Must be."}


def test_an_entry_tells_default_and_range() -> None:
    fields = {f.name: f for f in dataclasses.fields(Derived)}
    assert entry("first", fields["first"], "It counts.", {"first": Limit(1, 5)}).startswith("  first (3; at least 1")
    assert entry("bare", fields["bare"], "Yes.", {}) == "  bare (true)  Yes."
    assert entry("last", fields["last"], "Text.", {}) == "  last (null)  Text."
    assert entry("given", fields["given"], "Text.", {}) == "  given (set by the choice)  Text."
    long = entry("first", fields["first"], "word " * 60, {})
    assert all(len(line) <= 116 for line in long.splitlines())
    assert all(line.startswith("      ") for line in long.splitlines()[1:])
