"""What is read in the source of the schema is what Python makes of it."""

import dataclasses
from enum import Enum
from typing import Any

import pytest

from lab.config.docs import field_docs
from lab.config.optimizer_schema import optimizers
from lab.config.schema import Config
from lab.config.schema_source import options


def schemas() -> list[type]:
    """Every dataclass of options, the groups of ``Config`` and the optimizers among them."""
    groups: list[Any] = [f.default_factory for f in dataclasses.fields(Config)]
    return [Config, *filter(dataclasses.is_dataclass, groups), *optimizers().values()]  # type: ignore[list-item]


def plain(value: Any) -> Any:
    return value.name if isinstance(value, Enum) else value


@pytest.mark.parametrize("schema", schemas())
def test_names_defaults_and_texts_are_those_of_the_dataclass(schema: type) -> None:
    found = options(schema.__module__, schema.__name__)
    known = dataclasses.fields(schema)
    assert [option.name for option in found] == [f.name for f in known]
    for option, f in zip(found, known, strict=True):
        assert plain(option.field.default) == plain(f.default), option.name
        if dataclasses.is_dataclass(f.default_factory):
            assert option.group == (f.default_factory.__module__, f.default_factory.__name__)  # type: ignore[union-attr]
        else:
            assert option.group is None
            assert (option.field.default_factory is dataclasses.MISSING) == (f.default_factory is dataclasses.MISSING)
    assert {option.name: option.doc for option in found if option.doc} == field_docs(schema)
