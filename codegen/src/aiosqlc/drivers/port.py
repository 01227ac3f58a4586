"""The interface of a driver: all driver-specific parts of generated code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from importlib.resources import files

from msgspec import Struct, field

from aiosqlc.drivers.pytype import Import, PyType
from aiosqlc.ir import SqlType
from aiosqlc.source import Dialect


class Places(Enum):
    """The placeholder for a parameter in the SQL text that a driver accepts."""

    NUMBERED = "$1"
    FORMATTED = "%s"


class Types(Struct, frozen=True):
    """The Python type that a driver with its adapter returns for each database type.

    `plain` returns the type of a value that is not an enum, array or structure. `structured` is
    true if the engine has enums, arrays and structures. `user_types_as_text` is true if the driver
    does not know types that a schema defines. The adapter's functions then read values of these
    types from text, and arrays must be passed as lists. `json_as_text` is true if the driver
    returns JSON as text, not decoded. `json_reader` is the suffix of the generated file that
    decodes the engine's JSON.
    """

    plain: Callable[[SqlType], PyType]
    structured: bool = True
    range: PyType | None = None
    multirange: Import | None = None
    user_types_as_text: bool = False
    json_as_text: bool = True
    json_reader: str = ""


class Violations(Struct, frozen=True):
    """The driver's exceptions. `caught` is the exception class that generated functions catch.

    `find` is the source of a function that finds the exception class for a server's error. It looks
    the class up in a dictionary whose keys have the type `key`. `entry` is the key of a class.
    `null_entry` is the key for a NOT NULL constraint, which has a column but no name. `raised` is
    the statement that raises the class in a generated function. In it, `{tables}` are the tables
    that the function may write, for servers whose error does not name the table. `named_in_table`
    is true if constraints of different tables may have the same name.
    """

    module: str
    root: Import
    caught: str
    by_kind: Mapping[str, str]
    find: str
    entry: str = "({table}, {constraint})"
    null_entry: str = "({table}, ({constraint},))"
    key: str = "object"
    imports: frozenset[Import] = frozenset()
    raised: str = "constraint_error(violation) from None"
    named_in_table: bool = False
    untyped: bool = False

    @property
    def caught_import(self) -> Import:
        """Return the import of the exception class that generated functions catch."""
        return (self.module, self.caught)


class Helpers(Struct, frozen=True):
    """The driver's source in `helpers.py`: imports, transactions, and imports from contextlib."""

    imports: str
    transaction: str
    contextlib: str

    @property
    def overload(self) -> str:
        """Return `, overload` if the function `transaction` needs this import, or else ''."""
        return ", overload" if "@overload" in self.transaction else ""


class Driver(Struct, frozen=True, eq=False):
    """A driver of an engine.

    `adapter` is the module in `written` that makes an executor from a connection, and `executor` is
    the executor's class in this module. `adapter` is empty if the connection already is an
    executor. `fits` describes the executor for the Protocols. `pipelined` is true if batches that
    return rows are sent in one round trip. `session` is the module in `written` for connections
    that another library owns; it uses the adapter. `makes_ids` is true if the driver reports the ID
    that an INSERT generated. `not_copied` are the types that the driver's COPY does not accept.
    `listens` is true if generated code can listen to notifications.
    """

    name: str
    engine: Dialect
    types: Types
    helpers: Helpers
    fits: Mapping[str, str] = field(default_factory=dict)
    places: Places = Places.NUMBERED
    adapter: str = ""
    executor: str = ""
    session: str = ""
    rewritten: tuple[tuple[str, str], ...] = ()
    synchronous: bool = False
    pipelined: bool = False
    makes_ids: bool = False
    violations: Violations | None = None
    not_copied: frozenset[str] = frozenset()
    listens: bool = False

    def adapter_source(self) -> str:
        """Return the source of `adapter.py`, or empty text if no adapter is needed."""
        return _rewritten(self.adapter, self.rewritten, self.synchronous) if self.adapter else ""

    def session_source(self, adapter: str) -> str:
        """Return the source of `session.py`, which imports the adapter, or '' if there is none."""
        if not self.session:
            return ""
        text = _rewritten(self.session, self.rewritten, self.synchronous)
        return text.replace(f"aiosqlc.drivers.written.{self.adapter}", adapter)


@cache
def _rewritten(name: str, rewritten: tuple[tuple[str, str], ...], synchronous: bool) -> str:
    from aiosqlc.drivers.blocking import blocking

    text = files("aiosqlc.drivers.written").joinpath(f"{name}.py").read_text("utf-8")
    for old, new in rewritten:
        text = text.replace(old, new)
    return blocking(text) if synchronous else text
