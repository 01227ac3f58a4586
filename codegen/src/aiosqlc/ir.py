"""The immutable values that the compiler's stages pass to each other.

    SourceFile → ParsedQuery → TypedQuery → PyModule → Rendered

A stage takes values and returns values with diagnostics. No stage raises an exception for a user's
mistake. A later value may contain an earlier value, but not the reverse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import overload

from aiosqlc.source import SourceFile, SourceMap, Span
from aiosqlc.store.digest import digest_of


class Command(StrEnum):
    """The command of a query, from the `:word` of its annotation."""

    ONE = "one"
    MANY = "many"
    EXEC = "exec"
    EXECROWS = "execrows"
    EXECRESULT = "execresult"
    EXECLASTID = "execlastid"
    COPYFROM = "copyfrom"
    BATCHEXEC = "batchexec"
    BATCHMANY = "batchmany"
    BATCHONE = "batchone"
    STREAM = "stream"
    PAGE = "page"
    ARROW = "arrow"

    @property
    def returns_rows(self) -> bool:
        """Return whether the function returns rows."""
        return self in _ROW_COMMANDS


_ROW_COMMANDS = frozenset(
    {
        Command.ONE,
        Command.MANY,
        Command.STREAM,
        Command.PAGE,
        Command.ARROW,
        Command.BATCHMANY,
        Command.BATCHONE,
    }
)


# --- schema: what the database is made of ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """A schema or migration file, reduced to the statements that apply it, without the rollback.

    `sql` has the same offsets as `file.text`; parts that must not run (down sections, tool
    directives, psql meta-commands) are blanked out. `statements` are the spans of its statements in
    order, without semicolons. `transactional` is False if the tool would run the file outside a
    transaction.
    """

    file: SourceFile
    sql: str
    statements: tuple[Span, ...]
    transactional: bool = True


@dataclass(frozen=True, slots=True)
class Tenant:
    """The tenant settings: the `column` of tenant tables, and the `parameter` with the tenant's ID.

    `shared` lists tables that belong to all tenants, and functions that a person has checked.
    `trust_foreign_keys` declares that a foreign key never refers to a row of another tenant.
    `table` is the table that has a row for each tenant. `columns` are further names of the column.
    """

    column: str
    parameter: str
    shared: tuple[str, ...] = ()
    trust_foreign_keys: bool = False
    table: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredJson:
    """The declared structure of a table column's JSON, and the place `span` of the declaration.

    `column` is `table.column` or `schema.table.column`. The Python type `python` defines the
    structure. If `schema` is set, the JSON Schema in this file defines it instead. Modules are
    looked for in `folder`, the folder of the configuration `file`. `pydantic` is true if pydantic
    decodes the values, and false if msgspec does.
    """

    column: str
    file: SourceFile
    span: Span
    folder: Path
    python: str = ""
    schema: Path | None = None
    pydantic: bool = False


@dataclass(frozen=True, slots=True)
class AnalyzeOptions:
    """Options of an analyser, in addition to the schema and the queries.

    `database_uri` is the server to use (None: the embedded one). `cache_dir` is the folder for data
    between runs (None: the user's cache folder). `strict` makes a `:one` that may return many rows
    an error. `not_null_functions` are functions (`schema.name` or `name`) that the user declares
    never NULL. `server` is the kind of server that the queries are for, `mysql` or `mariadb`.
    `tenant` requests a proof that each query accesses only one tenant's rows.
    """

    database_uri: str | None = None
    cache_dir: Path | None = None
    strict: bool = False
    not_null_functions: tuple[str, ...] = ()
    shims: tuple[SchemaFile, ...] = ()
    server: str = ""
    tenant: Tenant | None = None


# --- parsed: what the user wrote ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter as written in the query.

    `$1` has no name yet; `@x` and `sqlc.arg(x)` have the name `x`.

    `nullable` is the user's choice (`sqlc.narg` sets it to True), or None if the analysis decides.
    `row` is the name of the list of rows of which this parameter is one column: `(a, b) IN
    (sqlc.slice(pairs))`.
    """

    number: int
    name: str | None
    spans: tuple[Span, ...]
    nullable: bool | None = None
    is_slice: bool = False
    row: str = ""


@dataclass(frozen=True, slots=True)
class Embed:
    """A `sqlc.embed(t)`, which becomes `t.*` in the select list and one nested row in the result.

    `alias` is the name in `AS name` after the macro. The name is removed from the text, because a
    star cannot have an alias. `nest` is whether the macro is `sqlc.nest(t)`, which makes a list of
    nested rows.
    """

    table: str
    span: Span
    sql_offset: int
    alias: str = ""
    nest: bool = False

    @property
    def name(self) -> str:
        """Return the name of the nested row, which is a path such as `books.reviews` for a list."""
        return self.alias or self.table

    @property
    def macro(self) -> str:
        """Return the macro as written, without its alias."""
        return f"sqlc.{'nest' if self.nest else 'embed'}({self.table})"


@dataclass(frozen=True, slots=True)
class Hint:
    """A column or parameter hint in a comment: `-- column: total Decimal!`.

    `not_null` is True for `!`, False for `?`, and None if the hint has neither.
    """

    target: str
    span: Span
    python_type: str | None = None
    not_null: bool | None = None


@dataclass(frozen=True, slots=True)
class OptionalPart:
    """A part of a dynamic query's text that is optional or has several forms.

    Each variant of the query contains one of the forms.

    `kind` is `if`, `set` or `sort`. An `if` part is present if and only if parameter `name` was
    passed. A `set` part is a SET item that is omitted while parameter `name` is UNSET. For `sort`,
    `name` is the Python argument that selects one of `choices`. `numbers` are the parameters that
    occur only in this part. `also` are the further names of `:if a, b`, all of which must be
    passed. If a part is `independent`, the variants contain only some of its combinations with
    other independent parts: all parts, none, and each part alone. The generated code also sends the
    other combinations.
    """

    kind: str
    name: str
    span: Span
    choices: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    also: tuple[str, ...] = ()
    independent: bool = False


@dataclass(frozen=True, slots=True)
class Variant:
    """One possible text of a dynamic query, with parameters numbered `$1 …` without gaps.

    `key` has one entry per dynamic part: 1 if the part is present, 0 if it is absent, or the index
    of the choice for `sort`. `numbers[i]` is the query's own number of the parameter that this text
    calls `$i+1`.
    """

    key: tuple[int, ...]
    sql: str
    numbers: tuple[int, ...]
    source_map: SourceMap = field(default_factory=SourceMap)


@dataclass(frozen=True, slots=True)
class SortKey:
    """An expression of ORDER BY whose value is part of a cursor.

    `number` is the parameter that holds the value from the cursor. `nulls` is true if the query
    states where NULL is sorted. Otherwise the expression must be proved never NULL.
    """

    sql: str
    span: Span
    number: int
    nulls: bool = False


@dataclass(frozen=True, slots=True)
class Paging:
    """The way in which the text of a `:page` query selects one page.

    The last `hidden` columns of the text are not part of a row. They are the total, or the values
    of the sort `keys`. `orders` are the orders that a call can ask for. `limit` is the number of
    the parameter of LIMIT, or None for a constant. `skip` is the number of the parameter of OFFSET,
    or None if pages begin at a cursor. `probes` are texts that return at most one row each if the
    order is total.
    """

    hidden: int
    limit: int | None
    skip: int | None = None
    keys: tuple[SortKey, ...] = ()
    orders: tuple[str, ...] = ()
    probes: tuple[Variant, ...] = ()

    @property
    def content(self) -> tuple[object, ...]:
        """Return all data of the paging except the positions in the query file."""
        keys = [(key.sql, key.number, key.nulls) for key in self.keys]
        probes = [(probe.sql, probe.numbers) for probe in self.probes]
        return (self.hidden, self.limit, self.skip, keys, self.orders, probes)


_NUMBERED = re.compile(r"(?<![\w$])\$(\d+)\b")


@dataclass(frozen=True)
class ParsedQuery:
    """An annotated query.

    `sql` is the text for the server: `$n` parameters, no macros, no final semicolon.

    A dynamic query's `sql` contains every optional part and the first choice of each sort.
    `variants` lists all reachable texts, including `sql`; a static query has none. `options` are
    the words after the command (`:bulk`) with their values, and `ignores` are the silenced codes
    with the reasons. `paging` is set for `:page` only. `comments` are the comment lines above and
    inside the query, which sqlc passes to plugins.
    """

    file: SourceFile
    name: str
    command: Command
    sql: str
    source_map: SourceMap
    name_span: Span
    span: Span
    doc: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    heading: tuple[str, ...] = ()
    params: tuple[Param, ...] = ()
    embeds: tuple[Embed, ...] = ()
    hints: tuple[Hint, ...] = ()
    dynamic: tuple[OptionalPart, ...] = ()
    variants: tuple[Variant, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    ignores: tuple[tuple[str, str], ...] = ()
    paging: Paging | None = None

    def spelled(self, number: int) -> str:
        """Return a parameter as first written: `@name`, `sqlc.arg(name)`, `$1`, `?`."""
        param = next((p for p in self.params if p.number == number and p.spans), None)
        if param is None:
            return f"${number}"
        if param.row:
            return f"sqlc.slice({param.row})"
        return self.file.text[param.spans[0].start : param.spans[0].end]

    def with_names(self, text: str) -> str:
        """Replace the numbers of parameters in a text by the parameters' names."""
        return _NUMBERED.sub(lambda found: self.spelled(int(found[1])), text)

    def embeds_in(self, variant: Variant) -> tuple[Embed, ...]:
        """Return the embedded tables of a variant, by their position in its text."""
        made = {src: out for out, src, copied in variant.source_map.pieces if not copied}
        found = []
        for embed in self.embeds:
            text = self.sql[embed.sql_offset : self.sql.index("*", embed.sql_offset) + 1]
            offset = made.get(embed.span.start)
            if offset is not None and variant.sql.startswith(text, offset):
                found.append(replace(embed, sql_offset=offset))
        return tuple(found)

    @cached_property
    def question(self) -> str:
        """Return a hash of all query data that an engine reads, without position and hints."""
        return digest_of(
            *(self.name, self.command, self.sql, self.options),
            [
                (item.number, item.name, item.nullable, item.is_slice, item.row)
                for item in self.params
            ],
            [(item.table, item.sql_offset, item.alias, item.nest) for item in self.embeds],
            [(item.target, item.python_type, item.not_null) for item in self.hints],
            [(item.kind, item.name, item.also, item.choices) for item in self.dynamic],
            [item.sql for item in self.variants],
            self.paging and self.paging.content,
        )[:32]  # enough to distinguish queries

    @cached_property
    def said(self) -> str:
        """Return a hash of all query data except the position in the file."""
        dynamic = [(item.numbers, item.independent) for item in self.dynamic]
        return digest_of(self.question, self.doc, self.comments, str(self.file.path), dynamic)

    def placed(self, **places: object) -> ParsedQuery:
        """Return a copy of the query with another position in its file.

        The copy keeps the stored hashes, because they do not depend on the position.
        """
        found = copy(self)
        vars(found).update(places)
        return found

    @property
    def channel(self) -> str:
        """Return the channel that a `notify` line declares, or '' for a query."""
        return dict(self.options).get("notify", "")

    @property
    def place(self) -> str:
        """Return the query's name as cost reports write it: `file.sql:Name`."""
        return f"{self.file.path.as_posix()}:{self.name}"


# --- catalog: the schema, as the database reports it ----------------------------------------------


class TypeKind(StrEnum):
    """The kind of a database type."""

    BASE = "base"
    ENUM = "enum"
    DOMAIN = "domain"
    COMPOSITE = "composite"
    RANGE = "range"
    MULTIRANGE = "multirange"
    PSEUDO = "pseudo"


@dataclass(frozen=True, slots=True)
class SqlType:
    """A database type.

    With `array_dims` > 0 the type is an array, and the other fields describe its element type.

    `base` is the underlying type of a domain or the subtype of a range or multirange. `labels`
    belong to enums and `fields` to composites. `length` is the length of varchar(n), and `scale`
    the scale of numeric(p, s).
    """

    schema: str
    name: str
    kind: TypeKind = TypeKind.BASE
    array_dims: int = 0
    labels: tuple[str, ...] = ()
    base: SqlType | None = None
    fields: tuple[tuple[str, SqlType, bool], ...] = ()
    domain_not_null: bool = False
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    unsigned: bool = False


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a table or view, in the catalog.

    `json_kind` is the kind of JSON (`object`, `array`, …) that a CHECK requires, or empty.
    """

    name: str
    type: SqlType
    not_null: bool
    has_default: bool = False
    comment: str = ""
    element_not_null: bool = False
    json_kind: str = ""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint that a write can violate.

    `kind`: unique, primary, foreign, check, not_null, exclude. `told` is true if the server's error
    distinguishes the constraint from constraints of other tables.
    """

    schema: str
    table: str
    name: str
    kind: str
    columns: tuple[str, ...] = ()
    told: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """A relation of the catalog. `kind`: table, view, matview, foreign, partitioned."""

    schema: str
    name: str
    columns: tuple[TableColumn, ...]
    kind: str = "table"
    comment: str = ""
    constraints: tuple[Constraint, ...] = ()


@dataclass(frozen=True)
class Catalog:
    """The user's schema, for generators."""

    tables: tuple[Table, ...] = ()
    types: tuple[SqlType, ...] = ()
    default_schema: str = "public"

    @cached_property
    def columns(self) -> Mapping[ColumnRef, TableColumn]:
        """Return the columns of all tables by name."""
        return {
            ColumnRef(table.schema, table.name, column.name): column
            for table in reversed(self.tables)
            for column in reversed(table.columns)
        }

    @cached_property
    def digest(self) -> str:
        """Return a hash of the catalog's content."""
        return digest_of(self.tables, self.types, self.default_schema)


# --- typed: what the server says ------------------------------------------------------------------


class Cardinality(StrEnum):
    """The proved bounds of the number of rows that a query returns.

    `SOME` means at least one row, and `MANY` means that nothing is proved.
    """

    ONE = "one"
    ZERO_OR_ONE = "zero_or_one"
    SOME = "some"
    MANY = "many"

    @property
    def at_most_one(self) -> bool:
        """Return whether the query returns at most one row."""
        return self in {Cardinality.ONE, Cardinality.ZERO_OR_ONE}


@dataclass(frozen=True, slots=True)
class ColumnRef:
    """The table column that a result column or a parameter corresponds to."""

    schema: str
    table: str
    column: str


class JsonKind(StrEnum):
    """The kind of a JSON value; a `MAP` is an object whose keys depend on the data.

    A `STORED` value is read from a table's column. Only the configuration can declare its
    structure, so this kind is replaced after the analysis.
    """

    OBJECT = "object"
    ARRAY = "array"
    TUPLE = "tuple"
    MAP = "map"
    SCALAR = "scalar"
    ANY = "any"
    STORED = "stored"


@dataclass(frozen=True, slots=True)
class JsonStep:
    """One step of a path into a JSON value: an object key, a list index, or either of the two.

    `any_key` and `any_index` mean a key or an index of unknown value. The last step of a path may
    be `as_text`: the value is read as a text that is not JSON, as `->>` does.
    """

    key: str | None = None
    index: int | None = None
    any_key: bool = False
    any_index: bool = False
    as_text: bool = False


Member = tuple[str, "JsonShape"]
"""A member of a JSON object with its key, or an element without a key."""


class Shared(Sequence[Member]):
    """The members of a declared object, which many places can share by reference.

    Schemas refer to one object from many places, and this object refers to others. So the expanded
    structure can be exponentially larger. Two instances are equal if their digests are equal, and a
    digest includes the digests of the inner objects. So no structure is expanded for a comparison
    or a hash.
    """

    __slots__ = ("_members", "digest")

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = tuple(members)
        self.digest = digest_of(self._members)

    @overload
    def __getitem__(self, at: int) -> Member: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Member, ...]: ...
    def __getitem__(self, at: int | slice) -> Member | tuple[Member, ...]:
        return self._members[at]

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shared) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __str__(self) -> str:
        return self.digest  # which `digest_of` reads

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class JsonShape:
    """The structure of a JSON value, as far as the query determines it.

    `members` are the members of an object, by key. Members of a tuple have no key. An array or a
    map has one member, the structure of all elements. An array or map without a member is empty.
    `type` is the database type of a scalar, or of a text that may contain an inner JSON value.
    `nullable` is whether the value may be `null` in JSON. `absent` is whether an object may lack
    this member.

    A `STORED` value is found at `path` in the column `stored`. For a path, `nullable` is true if
    the value can be NULL for another reason than a missing member. `declared` is whether the
    configuration declares this structure, without a proof; `name` is then the Python class of the
    value: a dotted name, or the name of a class that is generated.
    """

    kind: JsonKind
    nullable: bool = False
    absent: bool = False
    type: SqlType | None = None
    members: Sequence[Member] = ()
    stored: ColumnRef | None = None
    path: tuple[JsonStep, ...] = ()
    declared: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A result column.

    `reasons` explains why the column is, or could not be proved, not null; innermost first. `via`
    is the origin according to sqlc if it differs: the WITH query from which the column is read.
    `kept` is the column whose values it returns, or contains as elements, through array functions.
    `shape` is the shape of its JSON value, or None if the query does not determine the shape.
    `declared_not_null` is whether the configuration declares that the member of a stored JSON value
    always exists, without a proof.
    """

    name: str
    type: SqlType
    not_null: bool
    element_not_null: bool = False
    origin: ColumnRef | None = None
    table_alias: str = ""
    is_function_call: bool = False
    reasons: tuple[str, ...] = ()
    via: ColumnRef | None = None
    kept: ColumnRef | None = None
    shape: JsonShape | None = None
    declared_not_null: bool = False


@dataclass(frozen=True, slots=True)
class TypedParam:
    """A parameter, typed and named.

    `not_null` is False if None may be passed and has a meaning. `is_part` is true if the value is
    only a part of the values in `origin`, such as a document that `||` merges. `via` is the column
    as the query names it. It is a view's column if `origin` is a column of the underlying table.
    `row` is the name of the list of rows of which this parameter is one column. `kept` is the
    column that stores its value or its elements, if there is no `origin`: `array_append(tags,
    @tag)`.
    """

    number: int
    name: str
    type: SqlType
    not_null: bool
    element_not_null: bool = True
    origin: ColumnRef | None = None
    is_slice: bool = False
    is_named: bool = False
    reasons: tuple[str, ...] = ()
    is_part: bool = False
    via: ColumnRef | None = None
    row: str = ""
    kept: ColumnRef | None = None


@dataclass(frozen=True, slots=True)
class TypedEmbed:
    """The result columns `first … first + count - 1` form one nested row of `table`.

    `nullable` is whether an outer join can omit the whole row. Then column `presence` (an index
    into the columns) is NULL exactly if the row is omitted. `others` are the names in the further
    operands of a set operation. `nest` is whether the row belongs to a list (`sqlc.nest`).
    """

    name: str
    first: int
    count: int
    table: ColumnRef
    nullable: bool
    presence: int | None = None
    others: tuple[str, ...] = ()
    nest: bool = False


@dataclass(frozen=True, slots=True)
class NestLevel:
    """The returned rows of a query with `sqlc.nest`, or the rows of one kind of its lists.

    The first level has the rows that the function returns, and `embed` is None. Each other level
    has the rows of the embed with that index, in lists of the level with the index `parent`. `key`
    are the result columns whose values distinguish the rows of the level. `repeats` is whether two
    joined rows may contain the same row of the level.
    """

    embed: int | None
    parent: int
    key: tuple[int, ...]
    repeats: bool = True


@dataclass(frozen=True, slots=True)
class Nesting:
    """The returned rows and the lists of a query with `sqlc.nest`, each list after its parent.

    `adjacent` is whether ORDER BY keeps the joined rows of one returned row together.
    """

    levels: tuple[NestLevel, ...]
    adjacent: bool = False


@dataclass(frozen=True, slots=True)
class NotNested:
    """The reason why rows cannot be nested, and a correction; `embed` is the index of the macro."""

    embed: int
    why: str
    hint: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """The proved facts that decide whether a query can be run for many keys at once.

    `keys` are the numbers of the parameters that a column equals. `why` is the reason why the rows
    of several keys cannot be read together, or empty.
    """

    keys: tuple[int, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class TypedBatch:
    """The text of a `:batchget` query that reads the rows of many keys.

    `params` replace the parameters with the same numbers. They are the list of keys, or, if a key
    has several columns, the columns of a list of rows. `columns` are the key of each row: the
    hidden last columns of the text, or, if `position` is not None, the result column at that
    position. `variants` are the texts of a dynamic query, as in a `TypedQuery`. `written` are the
    same texts before the stars were expanded.
    """

    sql: str
    params: tuple[TypedParam, ...]
    columns: tuple[Column, ...]
    position: int | None = None
    variants: tuple[Variant, ...] = ()
    written: tuple[Variant, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """A call that sends a notification on a channel; `source` is the object that contains it.

    `source` is empty for a call in a query. `shape` is the proved structure of the payload, which
    is `nullable` if the payload may be NULL. If nothing is proved, `why` is the reason. `fails` is
    true if the reason is a server error that each call raises.
    """

    channel: str
    source: str = ""
    shape: JsonShape | None = None
    why: str = ""
    fails: bool = False


@dataclass(frozen=True)
class TypedQuery:
    """An accepted query with its inferred parameters, columns and row count.

    `sql` is the text that the generated code sends, with expanded stars (also in `variants`).
    `writes` is the written table, and `violable` are the constraints that the query can violate.
    `unproved_reading` is the reason why it is not proved to only read, or empty. `session_clean` is
    whether it does not affect the session. `advice` contains findings for `vet`: the code of a
    rule, and a name. `leaks` are the reasons why the query may access another tenant's rows. It is
    also empty if this was not checked. `lookup` is set while a `:batchget` query is analysed, and
    `batch` is the result. `nesting` is set for a query with `sqlc.nest`, whose `cardinality` counts
    the rows that the function returns. `sends` are the notifications that the query sends, and for
    a declared channel, those that functions and triggers of the schema send on it.
    """

    parsed: ParsedQuery
    sql: str
    params: tuple[TypedParam, ...]
    columns: tuple[Column, ...]
    cardinality: Cardinality
    embeds: tuple[TypedEmbed, ...] = ()
    variants: tuple[Variant, ...] = ()
    insert_into: ColumnRef | None = None
    writes: tuple[str, ...] = ()
    violable: tuple[Constraint, ...] = ()
    unproved_reading: str = "the query was not analysed"
    session_clean: bool = True
    cardinality_reasons: tuple[str, ...] = ()
    advice: tuple[tuple[str, str], ...] = ()
    leaks: tuple[str, ...] = ()
    lookup: Lookup | None = None
    batch: TypedBatch | None = None
    nesting: Nesting | NotNested | None = None
    sends: tuple[Sent, ...] = ()

    @cached_property
    def digest(self) -> str:
        """Return a hash of all data except the position in the file."""
        rest = [getattr(self, item.name) for item in fields(self) if item.name not in _PLACED]
        variants = [(item.key, item.sql, item.numbers) for item in self.variants]
        return digest_of(self.parsed.said, variants, rest)

    def placed(self, parsed: ParsedQuery) -> TypedQuery:
        """Return a copy at the position of `parsed`. The diagnostics of the copy may differ."""
        found = copy(self)
        vars(found)["parsed"] = parsed
        if parsed.said != self.parsed.said:
            vars(found).pop("digest", None)
        return found

    @property
    def read_only(self) -> bool:
        """Return whether the query provably changes nothing, so that a standby can run it."""
        return not self.unproved_reading


_PLACED = frozenset({"parsed", "variants"})


# --- output ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rendered:
    """A generated file that is complete but not yet written."""

    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """The result of an engine's analyser for one query set, without diagnostics.

    `stored` are the declared structures of JSON columns, which the configuration adds. `channels`
    are the declared channels. A channel is a query that has the payload as its only column and that
    never runs.
    """

    catalog: Catalog
    queries: tuple[TypedQuery, ...] = ()
    server_version: str = ""
    facts: tuple[tuple[str, str], ...] = field(default=())
    stored: tuple[tuple[ColumnRef, JsonShape], ...] = ()
    channels: tuple[TypedQuery, ...] = ()
