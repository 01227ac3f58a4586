"""The rows that the catalog queries return, each as a Struct."""

from __future__ import annotations

import msgspec

FIRST_USER_OID = 16384


class TypeRow(msgspec.Struct, frozen=True):
    """A type. `element` is set for real array types, `subtype` for ranges and multiranges."""

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


class EnumRow(msgspec.Struct, frozen=True):
    """An enum's labels, in order."""

    type: int
    labels: list[str]


class Relation(msgspec.Struct, frozen=True):
    """A user's table, view or similar; `permanent` means logged and not temporary."""

    oid: int
    schema: str
    name: str
    kind: str
    permanent: bool
    comment: str


class Attribute(msgspec.Struct, frozen=True):
    """A column of a relation. The flag `not_null` alone does not prove that no row has NULL.

    `virtual` is true if the column is generated when it is read, so that NEW and OLD do not have
    its value.
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


class ConstraintRow(msgspec.Struct, frozen=True):
    """A constraint of a relation, with `kind` as in pg_constraint.

    `validated` is whether the server has checked every row, and checks the rows that are written.
    `settled` is whether a CHECK calls only immutable functions of the server. `deferrable` is
    whether a transaction may postpone it. A foreign key to a partitioned table has a further row
    for each partition, with `of_partition`. A row of the table may refer to a row in any of the
    partitions.
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


class DomainCheck(msgspec.Struct, frozen=True):
    """A CHECK constraint of a user's domain."""

    type: int
    definition: str


class PartitionBound(msgspec.Struct, frozen=True):
    """The values that one partition accepts for a column of the partition key."""

    relation: int
    column: int
    definition: str


class Index(msgspec.Struct, frozen=True):
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


class Inheritance(msgspec.Struct, frozen=True):
    """A parent table and its child table, by inheritance or partitioning."""

    parent: int
    child: int


class Trigger(msgspec.Struct, frozen=True):
    """An enabled trigger that the user created. `type` is the bit set from pg_trigger.tgtype.

    `transitions` are the names of its transition tables.
    """

    relation: int
    type: int
    function: int
    transitions: list[str]


class Returned(msgspec.Struct, frozen=True):
    """The parse trees of the query in one RETURN of a PL/pgSQL body, in each possible reading.

    `single` is true if the RETURN returns one value, which is NULL if the query has no row.
    """

    trees: tuple[str, ...]
    single: bool


class Function(msgspec.Struct, frozen=True):
    """A function, aggregate, window function or procedure.

    `arguments` are the names of its IN, INOUT and VARIADIC parameters, with or without a default,
    and `inputs` is their number. `configured` is true if the function changes a setting other than
    search_path while it runs. `path` is its search_path, if it has one. `outputs` are the types of
    the columns of RETURNS TABLE, or of OUT and INOUT parameters, for a user's function. `returned`
    has the queries that a PL/pgSQL body returns, or () if the body is not understood.
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


class Equality(msgspec.Struct, frozen=True):
    """An operator that means equality in some operator families, with its two operand types."""

    operator: int
    families: list[int]
    left: int
    right: int


class Oid(msgspec.Struct, frozen=True):
    """The OID of a database object."""

    oid: int


class Word(msgspec.Struct, frozen=True):
    """A keyword that must be quoted if it is the name of a column."""

    name: str


class Operator(msgspec.Struct, frozen=True):
    """A user-defined operator and its function."""

    oid: int
    name: str
    function: int


class OwnedTree(msgspec.Struct, frozen=True):
    """A parse tree that is evaluated when rows are read: a domain's CHECK, or a row policy."""

    owner: int
    tree: str


class SetOff(msgspec.Struct, frozen=True):
    """A function that the server calls for an aggregate, a type or an index."""

    owner: int
    function: int
