"""The immutable values that the compiler's stages pass to each other.

    SourceFile → ParsedQuery → TypedQuery → PyModule → Rendered

A stage takes values and returns values with diagnostics. A stage does not raise an exception for a
user's mistake. A later value may contain an earlier value, but not the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import overload

from msgspec import Struct, field
from msgspec.structs import replace

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


class SchemaFile(Struct, frozen=True):
    """A schema or migration file, reduced to the statements that apply it, without the rollback.

    `sql` is `file.text` with blanks in place of the parts that must not run (rollbacks, directives
    of tools, commands of psql), so that offsets are the same. `statements` are the spans of the
    statements in order, without semicolons. `transactional` is False if the tool would run the file
    outside a transaction.
    """

    file: SourceFile
    sql: str
    statements: tuple[Span, ...]
    transactional: bool = True


class Tenant(Struct, frozen=True):
    """The tenant settings: the `column` of tenant tables, and the `parameter` with the tenant's ID.

    `shared` lists tables that belong to all tenants, and functions that a person has checked. A
    name without a schema is looked up as in a query.
    `trust_foreign_keys` declares that a foreign key never refers to a row of another tenant.
    `table` is the table with one row per tenant. `columns` are further names of the tenant column.
    """

    column: str
    parameter: str
    shared: tuple[str, ...] = ()
    trust_foreign_keys: bool = False
    table: str = ""
    columns: tuple[str, ...] = ()


class StoredJson(Struct, frozen=True):
    """The declared structure of a table column's JSON; `span` is the declaration's position.

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


class AnalyzeOptions(Struct, frozen=True):
    """Options of an analyser, in addition to the schema and the queries.

    `database_uri` is the server to use (None: the embedded one). `cache_dir` is the folder for data
    that later runs use (None: the user's cache folder). `strict` makes a `:one` that may return
    many rows an error. `not_null_functions` are functions (`schema.name` or `name`) that the user
    declares never NULL. `server` is the kind of server that the queries are for, `mysql` or
    `mariadb`. `tenant` requests a proof that each query accesses only one tenant's rows, and
    `tenant_at` is the position of this setting in the configuration.
    """

    database_uri: str | None = None
    cache_dir: Path | None = None
    strict: bool = False
    not_null_functions: tuple[str, ...] = ()
    shims: tuple[SchemaFile, ...] = ()
    server: str = ""
    tenant: Tenant | None = None
    tenant_at: tuple[SourceFile, Span] | None = None


# --- parsed: what the user wrote ------------------------------------------------------------------


class Param(Struct, frozen=True):
    """A parameter as written in the query.

    `$1` has no name yet; `@x` and `sqlc.arg(x)` have the name `x`.

    `nullable` is what the user wrote (True for `sqlc.narg`), or None if the analysis decides. If
    the parameter is one column of a list of rows, as in `(a, b) IN (sqlc.slice(pairs))`, `row` is
    the name of the list.
    """

    number: int
    name: str | None
    spans: tuple[Span, ...]
    nullable: bool | None = None
    is_slice: bool = False
    row: str = ""


class Embed(Struct, frozen=True):
    """A `sqlc.embed(t)`, which becomes `t.*` in the select list and one nested row in the result.

    `alias` is the name in `AS name` after the macro, which is not part of the SQL, because a star
    cannot have an alias. `nest` is true for the macro `sqlc.nest(t)`, which makes a list of nested
    rows.
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


class Hint(Struct, frozen=True):
    """A column or parameter hint in a comment: `-- column: total Decimal!`.

    `not_null` is True for `!`, False for `?`, and None for a hint without one of these signs.
    """

    target: str
    span: Span
    python_type: str | None = None
    not_null: bool | None = None


class OptionalPart(Struct, frozen=True):
    """A part of a dynamic query's SQL text that is optional or has several alternatives.

    Each variant of the query contains the part in one form, or omits it.

    `kind` is `if`, `set` or `sort`. An `if` part is present if and only if parameter `name` was
    passed. A `set` part is a SET item that is omitted while parameter `name` is UNSET. For `sort`,
    `name` is the Python argument that selects one of `choices`. `numbers` are the parameters that
    occur only in this part. In `:if a, b`, all parameters must be passed; `also` are the names
    after the first. The compiler checks `independent` parts only in some combinations: all
    together, none, and each alone. Generated code also sends the other combinations.
    """

    kind: str
    name: str
    span: Span
    choices: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    also: tuple[str, ...] = ()
    independent: bool = False


class Variant(Struct, frozen=True):
    """One possible text of a dynamic query, with parameters numbered `$1 …` without gaps.

    `key` has one entry per dynamic part: 1 if the part is present, 0 if it is absent, or the index
    of the choice for `sort`. `numbers[i]` is the number in the whole query of the parameter that is
    `$i+1` in this text.
    """

    key: tuple[int, ...]
    sql: str
    numbers: tuple[int, ...]
    source_map: SourceMap = field(default_factory=SourceMap)


class SortKey(Struct, frozen=True):
    """An expression of ORDER BY whose value is part of a cursor.

    `number` is the number of the parameter for the value in the cursor. `nulls` means that the
    query states NULLS FIRST or LAST. If it does not, the expression must be proved never NULL.
    """

    sql: str
    span: Span
    number: int
    nulls: bool = False


class Output(Struct, frozen=True):
    """An assumption on whether the output column at a position has the name of a sort key.

    The server decides the names. A negative position counts from the end of the visible columns.
    `folds` means that upper and lower case are equal.
    """

    name: str
    position: int
    named: bool
    folds: bool
    span: Span


class Paging(Struct, frozen=True):
    """The way in which the text of a `:page` query selects one page.

    The last `hidden` columns of the text are not part of a row. They are the total, or the values
    of the sort `keys`. `orders` are the orders that a call can ask for. `limit` is the number of
    LIMIT's parameter, or None for a constant. `skip` is the number of OFFSET's parameter, or None
    if pages begin at a cursor. `probes` are texts that each return at most one row if no two rows
    have equal sort keys. `outputs` are the assumptions on the names of the output columns.
    """

    hidden: int
    limit: int | None
    skip: int | None = None
    keys: tuple[SortKey, ...] = ()
    orders: tuple[str, ...] = ()
    probes: tuple[Variant, ...] = ()
    outputs: tuple[Output, ...] = ()

    @property
    def content(self) -> tuple[object, ...]:
        """Return all data of the paging except the positions in the query file."""
        keys = [(key.sql, key.number, key.nulls) for key in self.keys]
        probes = [(probe.sql, probe.numbers) for probe in self.probes]
        outputs = [(one.name, one.position, one.named, one.folds) for one in self.outputs]
        return (self.hidden, self.limit, self.skip, keys, self.orders, probes, outputs)


_NUMBERED = re.compile(r"(?<![\w$])\$(\d+)\b")


class ParsedQuery(Struct, frozen=True, dict=True):
    """An annotated query.

    `sql` is the text for the server, with `$n` parameters, and without macros and final semicolon.

    A dynamic query's `sql` contains every optional part and the first choice of each sort.
    `variants` lists all texts that a call can send, including `sql`; it is empty for a static
    query. `options` maps the words after the command (`:bulk`) to their values. `ignores` maps
    ignored diagnostic codes to the user's reasons. `paging` is set for `:page` only. `comments` are
    the comment lines above and inside the query, which sqlc passes to plugins.
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
        """Return the first spelling of a parameter: `@name`, `sqlc.arg(name)`, `$1` or `?`."""
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
        """Return the embedded tables of a variant, with their positions in the variant's text."""
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
        """Return a hash of the query data that an engine reads, without positions in the file."""
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
        found = replace(self, **places)
        vars(found).update(vars(self))
        return found

    @property
    def channel(self) -> str:
        """Return the channel that a `notify` line declares, or '' for a query."""
        return dict(self.options).get("notify", "")

    @property
    def place(self) -> str:
        """Return the query's file and name: `file.sql:Name`."""
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


class SqlType(Struct, frozen=True):
    """A database type.

    With `array_dims` > 0 the type is an array, and the other fields describe its element type.

    `base` is the base type of a domain, or the subtype of a range or multirange. An enum has
    `labels`, and a composite has `fields`. `length` is n in varchar(n), and `scale` is s in
    numeric(p, s).
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


class TableColumn(Struct, frozen=True):
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


class Constraint(Struct, frozen=True):
    """A constraint that a write can violate.

    `kind` is unique, primary, foreign, check, not_null or exclude. `identifiable` means that the
    server's error message distinguishes the constraint from constraints of other tables.
    """

    schema: str
    table: str
    name: str
    kind: str
    columns: tuple[str, ...] = ()
    identifiable: bool = True


class Table(Struct, frozen=True):
    """A relation of the catalog. `kind`: table, view, matview, foreign, partitioned."""

    schema: str
    name: str
    columns: tuple[TableColumn, ...]
    kind: str = "table"
    comment: str = ""
    constraints: tuple[Constraint, ...] = ()


class Catalog(Struct, frozen=True, dict=True):
    """The tables and types of the user's schema, which code generators read."""

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

    `SOME` means at least one row. `MANY` means any number of rows, because nothing is proved.
    """

    ONE = "one"
    ZERO_OR_ONE = "zero_or_one"
    SOME = "some"
    MANY = "many"

    @property
    def at_most_one(self) -> bool:
        """Return whether the query returns at most one row."""
        return self in {Cardinality.ONE, Cardinality.ZERO_OR_ONE}


class ColumnRef(Struct, frozen=True):
    """The table column that a result column or a parameter corresponds to."""

    schema: str
    table: str
    column: str


class JsonKind(StrEnum):
    """The kind of a JSON value; a `MAP` is an object whose keys depend on the data.

    A `STORED` value is read from a table's column. If the configuration declares the column's
    structure, that structure replaces it after the analysis.
    """

    OBJECT = "object"
    ARRAY = "array"
    TUPLE = "tuple"
    MAP = "map"
    SCALAR = "scalar"
    ANY = "any"
    STORED = "stored"


class JsonStep(Struct, frozen=True):
    """One step of a path into a JSON value: an object key, a list index, or either of the two.

    `any_key` means a key that depends on data, and `any_index` an index that depends on data. If
    the last step is `as_text`, the value is read as a plain text, as `->>` does.
    """

    key: str | None = None
    index: int | None = None
    any_key: bool = False
    any_index: bool = False
    as_text: bool = False


Member = tuple[str, "JsonShape"]
"""The key and structure of an object's member; the key of an array's element is ''."""


class Shared(Sequence[Member]):
    """The members of a declared object; several places in a structure can refer to one instance.

    A JSON Schema can refer to one object from many places, and this object to further objects, so
    the expanded structure can be exponentially larger. Two instances are equal if their digests are
    equal. A digest is computed from the digests of the inner objects, without expanding them.
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


class JsonShape(Struct, frozen=True):
    """The structure of a JSON value, as far as the query determines it.

    `members` are the members of an object, by key. Members of a tuple have no key. An array or a
    map has one member, the structure of all elements. An array or map without a member is empty.
    `type` is the database type of a scalar, or of a text that may contain an inner JSON value.
    `nullable` means that the value may be `null` in JSON. `absent` means that an object need not
    have this member.

    A `STORED` value is found at `path` in the column `stored`. For a `STORED` value, `nullable`
    means that it can be NULL even if the column contains the member. `declared` means that the
    structure comes from the configuration, without a proof; `name` is then the dotted name of the
    value's Python class, or the name of a generated class.
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


class Column(Struct, frozen=True):
    """A result column.

    `reasons` explains why the column is proved not null, or could not be proved; the innermost
    reason is first. `via` is the WITH query's column from which it is read, which is the origin for
    sqlc. `kept` is the table column whose values it returns, or contains as array elements, through
    array functions. `shape` is the shape of its JSON value, or None if the query does not determine
    it. `declared_not_null` means that the column is a member of stored JSON that, according to the
    configuration, always exists. `longest` is the size of the longest text or byte string in a sort
    key on MySQL, in bytes.
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
    longest: int | None = None


class TypedParam(Struct, frozen=True):
    """A parameter of a query, with its database type and name.

    `not_null` is False if None may be passed and has a meaning. `is_part` means that the value is
    only a part of a value of the column `origin`, such as a document that `||` merges. `via` is the
    column that the query names, which is a view's column if `origin` is a column of the view's
    table. If the parameter is one column of a list of rows, `row` is the name of the list. Without
    `origin`, `kept` is the column that stores the value or its elements, as in `array_append(tags,
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


class TypedEmbed(Struct, frozen=True):
    """The result columns `first … first + count - 1` form one nested row of `table`.

    `nullable` means that an outer join can omit the row. `presence` is then the index of a column
    that is NULL exactly if the row is omitted. `others` are the row's names in the other operands
    of a set operation. `nest` means that the row belongs to a list (`sqlc.nest`).
    """

    name: str
    first: int
    count: int
    table: ColumnRef
    nullable: bool
    presence: int | None = None
    others: tuple[str, ...] = ()
    nest: bool = False


class NestLevel(Struct, frozen=True):
    """One nesting level of a query with `sqlc.nest`: the returned rows, or the rows of a list.

    The first level has the rows that the function returns; its `embed` is None. For any other
    level, `embed` is the index of the macro, and `parent` is the index of the level whose rows
    contain the list. `key` are the result columns that distinguish the rows of the level. `repeats`
    means that several joined rows may contain the same row of the level.
    """

    embed: int | None
    parent: int
    key: tuple[int, ...]
    repeats: bool = True


class Nesting(Struct, frozen=True):
    """The nesting levels of a query with `sqlc.nest`; a level comes after its parent.

    `adjacent` means that ORDER BY keeps the joined rows of one returned row together.
    """

    levels: tuple[NestLevel, ...]
    adjacent: bool = False


class NotNested(Struct, frozen=True):
    """The reason why rows cannot be nested, and a correction.

    `embed` is the index of the `sqlc.nest` among the macros of the query.
    """

    embed: int
    why: str
    hint: str


class Lookup(Struct, frozen=True):
    """The proof that one query can read the rows of many keys, or the reason why it cannot.

    `keys` are the numbers of the parameters that must be equal to a column. `why` is the reason why
    one query cannot read the rows of several keys, or empty.
    """

    keys: tuple[int, ...] = ()
    why: str = ""


class TypedBatch(Struct, frozen=True):
    """The text of a `:batchget` query that reads the rows of many keys.

    `params` replace the query's parameters with the same numbers. They are the list of keys; if a
    key has several columns, there is one parameter per column. `columns` are the columns with the
    key of a row. They are additional columns at the end, or, if `position` is not None, the result
    column at this position. `variants` are the texts of a dynamic query. `written` are the same
    texts before `*` was expanded.
    """

    sql: str
    params: tuple[TypedParam, ...]
    columns: tuple[Column, ...]
    position: int | None = None
    variants: tuple[Variant, ...] = ()
    written: tuple[Variant, ...] = ()


class Sent(Struct, frozen=True):
    """A call that sends a notification on a channel.

    `source` is the schema object that contains the call, such as a function, or empty for a call in
    a query. `shape` is the proved JSON structure of the payload; it is `nullable` if the payload
    may be NULL. If no structure is proved, `why` is the reason. `fails` means that this reason is a
    server error in every call.
    """

    channel: str
    source: str = ""
    shape: JsonShape | None = None
    why: str = ""
    fails: bool = False


class TypedQuery(Struct, frozen=True, dict=True):
    """An accepted query with its inferred parameters, columns and row count.

    `sql` is the text that the generated code sends, with expanded stars (also in `variants`).
    `writes` is the written table, and `violable` are the constraints that the query can violate.
    `unproved_reading` is the reason why the query is not proved read-only, or empty.
    `session_clean` means that the query leaves the session unchanged. `advice` has findings for
    `vet`: the code of a rule, and a name. `leaks` are the reasons why the query may access another
    tenant's rows; without tenants in the configuration, it is empty. `lookup` is set while a
    `:batchget` query is analysed, and `batch` is the result. `nesting` is set for a query with
    `sqlc.nest`; its `cardinality` counts the objects that the function returns, not the joined
    rows. `sends` are the notifications that the query sends. For a declared channel, they are the
    notifications that functions and triggers of the schema send on it.
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
        rest = [getattr(self, name) for name in self.__struct_fields__ if name not in _PLACED]
        variants = [(item.key, item.sql, item.numbers) for item in self.variants]
        return digest_of(self.parsed.said, variants, rest)

    def placed(self, parsed: ParsedQuery) -> TypedQuery:
        """Return a copy of the typed query with the file position of `parsed`."""
        found = replace(self, parsed=parsed)
        if parsed.said == self.parsed.said:
            vars(found).update(vars(self))
        return found

    @property
    def read_only(self) -> bool:
        """Return whether the query provably changes nothing, so that a standby can run it."""
        return not self.unproved_reading


_PLACED = frozenset({"parsed", "variants"})


# --- output ---------------------------------------------------------------------------------------


class Rendered(Struct, frozen=True):
    """A generated file that is complete but not yet written."""

    path: Path
    text: str


class Analysis(Struct, frozen=True):
    """The result of an engine's analyser for one configuration entry, without diagnostics.

    `stored` are the declared structures of JSON columns, which the configuration adds. `channels`
    are the declared channels, each as a query whose only column is the payload; it never runs.
    """

    catalog: Catalog
    queries: tuple[TypedQuery, ...] = ()
    server_version: str = ""
    facts: tuple[tuple[str, str], ...] = field(default=())
    stored: tuple[tuple[ColumnRef, JsonShape], ...] = ()
    channels: tuple[TypedQuery, ...] = ()
