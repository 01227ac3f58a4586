"""A Python type: its annotation, imports, and the conversion from the driver's value."""

from __future__ import annotations

import re

from msgspec import Struct

Import = tuple[str, str]
"""A module and the name imported from it; an empty name imports the module itself."""


class PyType(Struct, frozen=True):
    """A Python type.

    `decode` and `encode` are expressions with `{}` for the value. They are empty if there is no
    conversion.

    `atomic` means that values can never form a reference cycle.
    """

    annotation: str
    imports: frozenset[Import] = frozenset()
    decode: str = ""
    encode: str = ""
    atomic: bool = True

    def imports_in(self, *texts: str) -> frozenset[Import]:
        """Return the imports whose names occur in the given source texts."""
        words = set(re.findall(r"\w+", re.sub(r'"[^"]*"', "", " ".join(texts))))
        return frozenset(item for item in self.imports if (item[1] or item[0]) in words)
