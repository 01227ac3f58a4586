"""A msgspec Struct for the rows of each catalog query."""

from __future__ import annotations

from msgspec import Struct

FIRST_USER_OID = 16384


class TypeRow(Struct, frozen=True):
    """A type. `element` is the type of an array's elements, `subtype` that of a range's bounds."""

    oid: int
    schema: str
    name: str
    kind: str
    element: int
    base: int
    typmod: int
    not_null: bool
    relation: int
    collation: int
    dims: int
    subtype: int


class EnumRow(Struct, frozen=True):
    """An enum's labels, in order."""

    type: int
    labels: list[str]


class Relation(Struct, frozen=True):
    """A user's table, view or similar; `permanent` means that it is logged and not temporary."""

    oid: int
    schema: str
    name: str
    kind: str
    permanent: bool
    comment: str


class Attribute(Struct, frozen=True):
    """A column of a relation. The flag `not_null` alone does not prove that no row has NULL.

    `virtual` means that the column is computed when it is read, so NEW and OLD lack its value.
    """

    relation: int
    number: int
    name: str
    type: int
    typmod: int
    not_null: bool
    dims: int
    collation: int
    has_default: bool
    generated: bool
    virtual: bool
    comment: str


class ConstraintRow(Struct, frozen=True):
    """A constraint of a relation, with `kind` as in pg_constraint.

    `validated` means that the server has checked the constraint for every existing row and checks
    it for every new row. `settled` means that a CHECK calls only immutable functions of the server.
    `deferrable` means that a transaction may postpone the check. For a foreign key to a partitioned
    table, the catalog has a further constraint for each partition, with `of_partition`. A row of
    the referring table may refer to a row in any of the partitions.
    """

    oid: int
    schema: str
    name: str
    kind: str
    relation: int
    foreign_relation: int
    columns: list[int]
    foreign_columns: list[int]
    validated: bool
    definition: str
    settled: bool
    deferrable: bool
    of_partition: bool


class DomainCheck(Struct, frozen=True):
    """A CHECK constraint of a user's domain."""

    type: int
    definition: str


class PartitionBound(Struct, frozen=True):
    """The values that one partition accepts for a column of the partition key."""

    relation: int
    column: int
    definition: str


class Index(Struct, frozen=True):
    """A unique index that is checked immediately. `columns` contains 0 for an expression."""

    relation: int
    name: str
    columns: list[int]
    keys: int
    expressions: str
    predicate: str
    nulls_not_distinct: bool
    collations: list[int]
    families: list[int]
    inputs: list[int]


class Inheritance(Struct, frozen=True):
    """A parent table and its child table, by inheritance or partitioning."""

    parent: int
    child: int


class Trigger(Struct, frozen=True):
    """An enabled trigger that the user created. `type` is the bit set from pg_trigger.tgtype.

    `transitions` are the names of the trigger's transition tables.
    """

    relation: int
    type: int
    function: int
    transitions: list[str]


class Returned(Struct, frozen=True):
    """The parse trees of the query in one RETURN of a PL/pgSQL body.

    There are two if a name in the query may be a parameter or a column. `single` means that the
    RETURN returns one value, which is NULL if the query has no row.
    """

    trees: tuple[str, ...]
    single: bool


class Function(Struct, frozen=True):
    """A function, aggregate, window function or procedure.

    `arguments` are the names of the IN, INOUT and VARIADIC parameters, with or without a default,
    and `inputs` is their number. `configured` means that the function changes a setting other than
    search_path while it runs. `path` is the search_path that the function sets, or None. `outputs`
    are the types of the columns of RETURNS TABLE, or of the OUT and INOUT parameters, for a user's
    function. `returned` has the queries that a PL/pgSQL body returns, or () if the body is
    unsupported.
    """

    oid: int
    schema: str
    name: str
    strict: bool
    set: bool
    volatility: str
    kind: str
    result: int
    arguments: list[str]
    configured: bool
    path: str | None
    body: str
    language: str
    source: str
    outputs: list[int]
    inputs: int
    returned: tuple[Returned, ...] = ()


class Equality(Struct, frozen=True):
    """An equality operator, with its operator families and its two operand types."""

    operator: int
    families: list[int]
    left: int
    right: int


class Oid(Struct, frozen=True):
    """The OID of a database object."""

    oid: int


class Word(Struct, frozen=True):
    """A keyword that must be quoted if it is the name of a column."""

    name: str


class Operator(Struct, frozen=True):
    """A user-defined operator and its function."""

    oid: int
    name: str
    function: int


class OwnedTree(Struct, frozen=True):
    """The parse tree of a domain's CHECK or a row policy, which is evaluated when rows are read."""

    owner: int
    tree: str


class SetOff(Struct, frozen=True):
    """A function that the server calls to compute an aggregate, or to use a type or an index."""

    owner: int
    function: int
