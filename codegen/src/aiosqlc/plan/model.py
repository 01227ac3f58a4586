"""Planned Python modules. The package `emit` renders them without knowledge of SQL types."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from msgspec import Struct

from aiosqlc.config.project import ModelKind
from aiosqlc.drivers.pytype import Import, PyType
from aiosqlc.ir import Command
from aiosqlc.store.digest import digest_of

__all__ = ["Import", "PyType"]


class PyField(Struct, frozen=True):
    """An attribute of a row class; `default` is the source of its default value, or ''."""

    name: str
    type: PyType
    default: str = ""


class PyClass(Struct, frozen=True):
    """A row class. If `alias` is set, `name` is only a second name of the class `alias`."""

    name: str
    kind: ModelKind
    fields: tuple[PyField, ...]
    doc: str = ""
    alias: str = ""

    @property
    def atomic(self) -> bool:
        """Return whether instances can never form a reference cycle."""
        return all(item.type.atomic for item in self.fields)


class PyDecoder(Struct, frozen=True):
    """A generated function `name` that decodes a JSON text to a value of `type`."""

    name: str
    type: PyType


class PyEnum(Struct, frozen=True):
    """A StrEnum.

    `members` maps Python names to the database's labels; `table` is the reverse mapping.
    """

    name: str
    table: str
    members: tuple[tuple[str, str], ...]
    doc: str = ""


class PyParam(Struct, frozen=True):
    """A keyword-only parameter of a function.

    `expression` is the argument that the function passes to the driver.
    """

    name: str
    type: PyType
    expression: str
    default: str = ""


class PyNested(Struct, frozen=True):
    """A nested object of consecutive columns. It is `None` if the column `presence` is NULL.

    `shared` means that the object's class is in `models.py`, not in the function's module.
    """

    first: int
    count: int
    cls: PyClass
    presence: int | None = None
    shared: bool = True


class PyLevel(Struct, frozen=True):
    """The objects of one nesting level, such as the books of each author.

    The object in `variable` is appended to the list `field` of its parent, the level with the index
    `parent`. Consecutive columns form an object. `known` is the variable with the objects that
    exist so far, by the values of the columns in `key`. A joined row has no object of the level if
    the column `presence` is NULL. `repeats` means that several joined rows may contain the same
    object. `moments` are the key columns that have a time zone.
    """

    cls: PyClass
    first: int
    count: int
    parent: int
    key: tuple[int, ...]
    presence: int | None
    repeats: bool
    variable: str
    known: str
    field: str = ""
    moments: frozenset[int] = frozenset()


class PyNest(Struct, frozen=True):
    """The function `name`, which groups joined rows and returns the outermost objects.

    `key` is the variable of a key with several columns. `last` is the variable with the key of the
    previous row.
    """

    name: str
    levels: tuple[PyLevel, ...]
    key: str
    last: str


class PyRow(Struct, frozen=True):
    """The conversion of one row to a value.

    Without `cls`, the result is the value of the only column.

    `columns` are the types in select-list order. `names` are the preferred names of local
    variables. If several queries of a module need the same conversion, `builder` is the function
    that they call for it. `nest` is set if several rows form one object.
    """

    annotation: str
    columns: tuple[PyType, ...]
    names: tuple[str, ...]
    cls: PyClass | None = None
    nested: tuple[PyNested, ...] = ()
    imports: frozenset[Import] = frozenset()
    builder: str = ""
    nest: PyNest | None = None

    @property
    def plain(self) -> bool:
        """Return whether no value of a row is converted or belongs to a nested object."""
        return not self.nested and not any(column.decode for column in self.columns)

    @property
    def starmapped(self) -> bool:
        """Return whether the class can be called with a row's unconverted values, by position."""
        return self.cls is not None and self.plain and self.cls.kind is not ModelKind.PYDANTIC


class PyPiece(Struct, frozen=True):
    """Lines of a dynamic query's SQL, and the Python condition under which the SQL has them.

    An empty condition means always.

    An int among the parts is the index of an option whose value is inserted.
    """

    parts: tuple[str | int, ...]
    condition: str = ""


class PyChoice(Struct, frozen=True):
    """The selection of a dynamic query's SQL text at run time.

    `texts` maps a key to the SQL text, and `selectors` are the expressions of which the key
    consists. `arguments` has, for each parameter, the condition under which it is passed; an empty
    condition is always true. `pieces` are the parts of the texts; their conditions refer to the
    options by `names`. `numbered` means that parameters are numbered at run time. Without pieces,
    the code contains each text. `needed` has conditions under which a required argument is missing,
    with the error messages. `labels` maps the values of each option to the names that callers use.
    `independent` are the options whose combinations `texts` does not list; a text with such a
    combination is assembled at its first use.
    """

    selectors: tuple[str, ...]
    texts: tuple[tuple[tuple[bool | str, ...], str], ...]
    arguments: tuple[tuple[str, str], ...]
    names: tuple[str, ...] = ()
    pieces: tuple[PyPiece, ...] = ()
    numbered: bool = False
    needed: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[tuple[str, str], ...], ...] = ()
    independent: tuple[int, ...] = ()


class PyCopy(Struct, frozen=True):
    """The target table of a `:copyfrom`; an empty `schema` means to use the search path."""

    schema: str
    table: str
    columns: tuple[str, ...]


class PyArrow(Struct, frozen=True):
    """The Arrow schema of an `:arrow` query, in the constant `schema`.

    A field has its name, its Arrow type as a Python expression, and whether it can be NULL.
    """

    schema: str
    fields: tuple[tuple[str, str, bool], ...]


class PyError(Struct, frozen=True):
    """An exception class for the violation of one constraint; `base` is the driver's class."""

    name: str
    base: str
    kind: str
    table: str
    constraint: str
    doc: str


class PyKeyset(Struct, frozen=True):
    """The variables of a function that pages by sort keys, with a cursor.

    `page_of` is the expression that identifies the query and its order. `keys` are the variables
    for the values in a cursor. `nulls` are the variables that say whether a value is NULL.
    """

    page_of: str
    keys: tuple[str, ...]
    nulls: tuple[tuple[str, str], ...] = ()


class PyKeyed(Struct, frozen=True):
    """The mapping that a function for many keys returns.

    `keys` is the parameter with the keys. `type` is the type of one key, which is a tuple if the
    key has several `columns`. With `unique`, a key has at most one row, and not a list of rows.
    `position` is the index of the row's field that is the key, or None if the key is in additional
    columns at the end of the row. `loader` is the name of the function that makes a loader, or
    empty. `kinds` has for each column of the key the required kind of date: `date`, `aware`,
    `naive`, or an empty text.
    """

    keys: str
    type: PyType
    columns: tuple[PyType, ...]
    unique: bool
    position: int | None = None
    loader: str = ""
    kinds: tuple[str, ...] = ()


class PyFunction(Struct, frozen=True):
    """The function of one query, with its constant, its own classes and its JSON decoders.

    `reads` means that the query is proved read-only. If the function takes many sets of arguments,
    `batch` is the annotation of one set. Then `arguments` are expressions on `item`, a set, or with
    `repeatable` on the whole `batch`. `repeated` is the text of one VALUES row, which is repeated
    for each set of arguments. `caught` is the driver's exception for a violated constraint, and
    `raised` is the statement that handles it. `pipelined` means that the driver runs a batch in one
    round trip. `synchronous` means that the function is not `async`.
    """

    name: str
    constant: str
    query_name: str
    sql: str
    command: Command
    params: tuple[PyParam, ...]
    arguments: tuple[str, ...]
    executor: Import
    reads: bool = False
    doc: tuple[str, ...] = ()
    row: PyRow | None = None
    own_classes: tuple[PyClass, ...] = ()
    decoders: tuple[PyDecoder, ...] = ()
    exactly_one: bool = False
    counts_rows: bool = True
    choice: PyChoice | None = None
    batch: str = ""
    repeatable: bool = False
    repeated: str = ""
    copy: PyCopy | None = None
    arrow: PyArrow | None = None
    errors: tuple[PyError, ...] = ()
    caught: str = ""
    raised: str = ""
    pipelined: bool = False
    synchronous: bool = False
    used: frozenset[str] = frozenset()  # names that the body uses besides its own variables
    keyset: PyKeyset | None = None
    keyed: PyKeyed | None = None
    first_row: tuple[tuple[str, str], ...] = ()  # for pages: the replacements of arguments
    defines_builder: bool = False  # whether this is the first function that calls the builder
    imports: frozenset[Import] = frozenset()

    @property
    def batch_kind(self) -> str:
        """Return the type of the batch argument: Iterable, or Sequence if it is read repeatedly."""
        if not self.repeatable:
            return "Iterable"
        return "SequenceNotStr" if self.batch.startswith("str") else "Sequence"

    def local(self, name: str) -> str:
        """Return a variable name that the function's body does not use."""
        while name in self.used or any(name == param.name for param in self.params):
            name += "_"
        return name


class PyChannel(Struct, frozen=True):
    """The functions `listen` and `notify` of a declared channel.

    `constant` is the name of the SQL text that sends a payload. `decoder` decodes the payload;
    without a decoder, the payload is a text. `query_name` is the name of the query that declares
    the channel.
    """

    channel: str
    listen: str
    notify: str
    constant: str
    sql: str
    query_name: str
    payload: PyType
    executor: Import
    decoder: PyDecoder | None = None
    own_classes: tuple[PyClass, ...] = ()
    doc: tuple[str, ...] = ()
    imports: frozenset[Import] = frozenset()


class PyModule(Struct, frozen=True, dict=True):
    """A Python module to render.

    If `class_name` is set, the module's functions are methods of that class.
    """

    path: Path
    source: str
    doc: tuple[str, ...]
    enums: tuple[PyEnum, ...] = ()
    classes: tuple[PyClass, ...] = ()
    functions: tuple[PyFunction, ...] = ()
    channels: tuple[PyChannel, ...] = ()
    class_name: str = ""
    protocol: bool = False
    imports: frozenset[Import] = frozenset()
    first_party: frozenset[str] = frozenset()

    @property
    def members(self) -> tuple[PyFunction | PyChannel, ...]:
        """Return the functions of queries and of channels."""
        return (*self.functions, *self.channels)

    @cached_property
    def digest(self) -> str:
        """Return a hash of the module's content."""
        return digest_of(*(getattr(self, name) for name in self.__struct_fields__))
