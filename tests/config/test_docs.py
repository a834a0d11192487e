"""What the help says of an option is what stands under it in the source."""

import dataclasses

from lab.config.docs import field_docs
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
