"""Find free names in the scopes of generated code.

First, `naming` makes a Python name of the database's name. If the generated code of the scope needs
this name, an underscore is added. If another column or parameter has the name, a number is added.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence

from msgspec import Struct

CLASSES = frozenset(
    {
        "Any", "AsyncIterator", "Awaitable", "BaseModel", "BatchExecutor", "ConfigDict",
        "CopyExecutor", "Cursor", "Decimal", "Enum", "Executor", "Final", "Iterable", "Iterator",
        "LastIdExecutor", "ListenConnection", "Listener", "Literal", "Loader", "PipelineExecutor",
        "Protocol", "Range", "Sequence", "SequenceNotStr", "StrEnum",
        "StreamExecutor", "UNSET", "UUID", "Unset", "UnsetType", "Connection", "KeyError",
        "KeysetCursor", "KeysetList", "KeysetPage", "Reader", "StreamReader", "TypeError",
        "ValueError",
    }
)  # fmt: skip
"""The classes that generated modules import or use."""
FUNCTIONS = frozenset(
    {
        "arrow_batch", "arrow_schema", "attrs", "bool", "bytes", "constraint_error", "dataclass",
        "date", "datetime", "dict", "encoded", "float", "int", "keyset_rows", "keyset_start", "len",
        "list", "map", "msgspec", "numbered", "object", "pyarrow", "split_total", "starmap", "str",
        "time", "timedelta", "tuple",
    }
)  # fmt: skip
"""The names, except classes, that generated modules import or use."""
MODULES = frozenset(
    {
        "adapter",
        "arrow_batch",
        "errors",
        "executor",
        "helpers",
        "keyset",
        "loader",
        "models",
        "notifications",
        "numbering",
        "session",
    }
)
"""The modules of a generated package that do not contain queries."""
BODY = frozenset({"db", "list", "int", "starmap", "msgspec", "constraint_error"})
"""The names in the bodies of generated functions, apart from local variables."""
LOCALS = frozenset({"db", "row", "rows"})
"""The local variables of every function that reads rows."""


class Scope(Struct, frozen=True):
    """A scope of generated code, with the set of names that are already in use."""

    used: frozenset[str]

    def free(self, name: str) -> str:
        """Return a name that is free in the scope: `list` → `list_`."""
        while name in self.used:
            name += "_"
        return name

    def distinct(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return distinct names that the scope does not use: `list, id, id` → `list_, id, id_2`."""
        return tuple(numbered_names([self.free(name) for name in names], taken=self.used))


def numbered_names(
    names: Sequence[str], spelled: Callable[[str], str] = str, taken: Collection[str] = ()
) -> list[str]:
    """Return distinct names: `id, id` → `id, id_2`.

    Numbers that would produce a name in `taken` are skipped.
    """
    wanted, used = {*map(spelled, names), *taken}, set[str]()
    found: list[str] = []
    for name in names:
        free, number = name, 1
        while spelled(free) in used or (number > 1 and spelled(free) in wanted):
            number += 1
            free = f"{name}_{number}"
        used.add(spelled(free))
        found.append(free)
    return found


def words_in(expressions: Iterable[str]) -> frozenset[str]:
    """Return the names in expressions, except attributes, keywords and text in strings."""
    return frozenset(word for text in expressions for word in _WORD.findall(_QUOTED.sub("", text)))


_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_WORD = re.compile(r"(?<![.\w])[^\W\d]\w*\b(?!=(?!=))")
