"""Plan the conversion of a query's rows to values, and the shared classes for it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from aiosqlc.config.project import ModelKind
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import (
    Column,
    ColumnRef,
    SqlType,
    Table,
    TypedEmbed,
    TypedParam,
    TypedQuery,
)
from aiosqlc.plan.clashes import distinct_fields
from aiosqlc.plan.documents import Documents
from aiosqlc.plan.gathered import Gathered
from aiosqlc.plan.model import Import, PyClass, PyField, PyNested, PyRow, PyType
from aiosqlc.plan.naming import argument, attribute, camel, identifier, singular
from aiosqlc.plan.nests import class_name, is_inner, list_field, with_lists
from aiosqlc.plan.package import Package
from aiosqlc.plan.pytypes import optional
from aiosqlc.plan.scope import Scope, numbered_names
from aiosqlc.plan.stored import StoredTypes, reads_stored
from aiosqlc.plan.types import TypeResolver
from aiosqlc.store.memo import memo_by

_KINDS = {"view": "view", "matview": "materialized view", "foreign": "foreign table"}


class QueryPlanner:
    """Plans the rows of one query; `gathered` collects the classes that belong in `models.py`."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.gathered = Gathered()
        self.problems: list[Diagnostic] = []
        self.documents: Documents | None = None
        self.stored = StoredTypes(package, self.gathered)
        self.types = TypeResolver(
            package.target,
            package.models_name,
            package.catalog.default_schema,
            package.driver.types,
            package.in_package("adapter"),
            self.gathered.enums,
            self.gathered.composites,
            self._row_of,
            package.engine,
            package.catalog.columns,
            package.renamed,
            self._stored,
            stored_types=self.stored,
        )

    def own_name(self, query: TypedQuery) -> str:
        """Return the name of the row class that only one query uses."""
        return f"{camel(query.parsed.name)}Row"

    def row(self, query: TypedQuery) -> PyRow:
        """Plan the conversion of a query's rows."""
        columns = tuple(self.column(query, column) for column in query.columns)
        nested = tuple(self.nested(query, embed, columns) for embed in query.embeds)
        nested, problems = with_lists(query, nested, self.documents_of(query).free)
        self.problems += problems
        if len(columns) == 1 and not nested:
            only = columns[0]
            imports = only.imports_in(only.annotation, only.decode)
            return PyRow(only.annotation, columns, ("value",), imports=imports)
        cls, where = self.row_class(query, columns, nested)
        columns = _as_in_classes(columns, cls, nested)
        classes = {(where, cls.name)} if where else set[Import]()
        classes |= {(self.package.models_name, item.cls.name) for item in nested if item.shared}
        return PyRow(
            cls.name,
            columns,
            _local_names(query, nested, _taken(query, columns)),
            cls,
            nested,
            frozenset(classes).union(*(column.imports_in(column.decode) for column in columns)),
        )

    def column(self, query: TypedQuery, column: Column) -> PyType:
        """Return the Python type of one result column.

        An override takes precedence over the JSON structure that is known from the query.
        """
        origin, name = column.origin or column.kept, f"{query.parsed.name}.{column.name}"
        if column.shape and column.shape.declared:
            if not self.types.is_column_overridden(column.type, origin, name):
                sure = column.not_null or column.declared_not_null
                return self.stored.column(column.shape, name, not_null=sure)
        elif column.shape and self._decodes(column.type, origin, name):
            found = self.documents_of(query).column(column.name, column.shape)
            return found if column.not_null else optional(found)
        found = self.types.column(
            column.type,
            not_null=column.not_null or column.declared_not_null,
            element_not_null=column.element_not_null,
            origin=origin,
            query=name,
        )
        return self.stored.present(found, name) if column.declared_not_null else found

    def _decodes(self, kind: SqlType, origin: ColumnRef | None, name: str) -> bool:
        """Return whether a JSON column is decoded to generated classes."""
        package = self.package
        wanted = package.target.typed_json and package.driver.types.json_as_text
        return wanted and not self.types.is_overridden(kind, origin, name)

    def documents_of(self, query: TypedQuery) -> Documents:
        """Return the object that plans the query's JSON columns, and names the query's classes."""
        if self.documents is None:
            package = self.package
            self.documents = Documents(
                query.parsed.name,
                package.target.models,
                package.json_maker,
                lambda kind: self.types.column(kind, not_null=True),
                self.stored.value,
                {self.own_name(query)},
            )
        return self.documents

    def nested(self, query: TypedQuery, embed: TypedEmbed, columns: tuple[PyType, ...]) -> PyNested:
        """Plan the nested object for `sqlc.embed(t)`, with a shared class or a class of its own."""
        inside = slice(embed.first, embed.first + embed.count)
        table = self.package.tables.get((embed.table.schema, embed.table.table))
        table = table or self._whole_table(query, query.columns[inside])
        presence = embed.presence if embed.nullable else None
        if table:
            return PyNested(embed.first, embed.count, self.table_class(table), presence)
        kind = self.package.target.models
        described = enumerate(query.columns[inside])
        fields = tuple(
            PyField(attribute(_column_name(column, number), kind), columns[embed.first + number])
            for number, column in described
        )
        fields, problems = distinct_fields(query, fields)
        self.problems += problems
        name = f"{camel(query.parsed.name)}{camel(embed.name)}"
        name = self.documents_of(query).free(class_name(query, embed) if embed.nest else name)
        cls = PyClass(name, kind, fields)
        return PyNested(embed.first, embed.count, cls, presence, shared=False)

    def row_class(
        self, query: TypedQuery, columns: tuple[PyType, ...], nested: tuple[PyNested, ...]
    ) -> tuple[PyClass, str]:
        """Return the class of a query's rows, and its module; '' means the query's module."""
        table = None if nested else self._whole_table(query, query.columns)
        if table:
            return self.table_class(table), self.package.models_name
        fields = _fields(query, columns, nested, self.package.target.models)
        fields, problems = distinct_fields(query, fields)
        self.problems += problems
        cls = PyClass(self.own_name(query), self.package.target.models, fields)
        named = dict(query.parsed.options).get("row")
        if not named:
            return cls, ""
        cls = replace(cls, name=named)
        self.gathered.rows[named] = cls
        return cls, self.package.models_name

    def _whole_table(self, query: TypedQuery, columns: Sequence[Column]) -> Table | None:
        """Return the table that has exactly the columns of the query, in this order, or None.

        A NOT NULL column of the table must be NOT NULL in the query too.
        """
        origins = [column.origin for column in columns]
        first = origins[0] if origins else None
        table = self.package.tables.get((first.schema, first.table)) if first else None
        if not table or len(table.columns) != len(origins):
            return None
        for column, origin, own in zip(columns, origins, table.columns, strict=True):
            expected = ColumnRef(table.schema, table.name, own.name)
            if origin != expected or column.name != own.name:
                return None
            if own.not_null and not column.not_null:
                return None
            stored = column.shape and column.shape.declared  # which a view's class does not show
            if (stored or column.declared_not_null) and expected not in self.package.stored:
                return None
        queried = (f"{query.parsed.name}.{column.name}" for column in columns)
        return None if self.package.particular.intersection(queried) else table

    def table_class(self, table: Table) -> PyClass:
        """Return the shared class of a table's rows."""
        cls, needed = _table_class(self.package, table)
        self.gathered.add(needed)
        return cls

    def _stored(self, schema: str, name: str) -> PyClass | None:
        table = self.package.tables.get((schema, name))
        return self.table_class(table) if table else None

    def _row_of(self, schema: str, name: str) -> PyClass | None:
        table = self.package.tables.get((schema, name))
        if table is None and (schema, name) in self.package.singulars:
            return PyClass(self.types.class_name(schema, name), self.package.target.models, ())
        return _table_class(self.package, table)[0] if table else None


@memo_by(lambda package, table: (package.digest, table.schema, table.name))
def _table_class(package: Package, table: Table) -> tuple[PyClass, Gathered]:
    planner = QueryPlanner(package)
    names = numbered_names([attribute(c.name, package.target.models) for c in table.columns])
    fields = tuple(
        PyField(
            attribute_name,
            planner.types.column(
                column.type,
                not_null=column.not_null,
                element_not_null=column.element_not_null,
                origin=ColumnRef(table.schema, table.name, column.name),
            ),
        )
        for attribute_name, column in zip(names, table.columns, strict=True)
    )
    name = planner.types.class_name(table.schema, singular(table.name))
    if name in {planner.types.class_name(schema, enum) for schema, enum in package.enums}:
        name = f"{name}Row"  # for a table `moods` and an enum `mood`
    name = package.renamed.get(("table", table.schema, table.name), name)
    cls = PyClass(name, package.target.models, fields, table.comment or _row_doc(table))
    planner.gathered.tables[table.schema, table.name] = cls
    return cls, planner.gathered


def _row_doc(table: Table) -> str:
    """Return the docstring of a row class whose table has no comment."""
    kind = _KINDS.get(table.kind, "table")
    return f"A row of the {kind} `{table.name}`."


def _as_in_classes(
    columns: tuple[PyType, ...], cls: PyClass, nested: tuple[PyNested, ...]
) -> tuple[PyType, ...]:
    """Return the types of columns as the fields of their classes declare them.

    A shared class cannot use a fact that only one query proves. Stored JSON keeps the conversion of
    its query, because error messages name the query.
    """
    found = list(columns)
    if not nested and len(cls.fields) == len(columns):
        found = [field.type for field in cls.fields]
    for item in nested:
        own = item.cls.fields[: item.count]
        found[item.first : item.first + item.count] = [field.type for field in own]
    pairs = zip(found, columns, strict=True)
    return tuple(own if reads_stored(own) else declared for declared, own in pairs)


def _fields(
    query: TypedQuery,
    columns: tuple[PyType, ...],
    nested: tuple[PyNested, ...],
    kind: ModelKind,
) -> tuple[PyField, ...]:
    """Return the fields of a row class: one per column, and one for the columns of each embed."""
    fields: list[PyField] = []
    starts = {item.first: (item, embed) for item, embed in zip(nested, query.embeds, strict=True)}
    position = 0
    while position < len(columns):
        if position in starts:
            item, embed = starts[position]
            position += item.count
            if embed.nest:
                fields += [] if is_inner(query, embed) else [list_field(embed, item.cls)]
                continue
            suffix = "" if item.presence is None else " | None"
            row = PyType(f"{item.cls.name}{suffix}", atomic=False)
            fields.append(PyField(attribute(embed.name, kind), row))
            continue
        name = _column_name(query.columns[position], position)
        fields.append(PyField(attribute(name, kind), columns[position]))
        position += 1
    return tuple(fields)


def _column_name(column: Column, position: int) -> str:
    if column.name in {"", "?column?"}:
        return f"column_{position + 1}"
    return identifier(column.name)


def _local_names(
    query: TypedQuery, nested: tuple[PyNested, ...], taken: frozenset[str]
) -> tuple[str, ...]:
    """Return distinct names of local variables for the columns of a row."""
    inside = {
        position: embed.name
        for item, embed in zip(nested, query.embeds, strict=True)
        for position in range(item.first, item.first + item.count)
    }
    names: list[str] = []
    for position, column in enumerate(query.columns):
        name = _column_name(column, position)
        if position in inside:
            name = identifier(f"{inside[position]}_{name}")
        while name in names or name in taken:
            name += "_"
        names.append(name)
    return tuple(names)


def _taken(query: TypedQuery, columns: tuple[PyType, ...]) -> frozenset[str]:
    """Return the names that a function's body uses for things other than columns."""
    converters = {name for column in columns for _, name in column.imports}
    converters |= {word for column in columns for word in re.findall(r"\w+", column.decode)}
    return frozenset({"db", "row", "rows", *converters, *parameter_names(query)})


def parameter_names(query: TypedQuery, used: frozenset[str] = frozenset()) -> list[str]:
    """Return the distinct Python names of a query's parameters, in order.

    A name that the function's body uses gets an underscore. The columns of a list of rows have the
    same name, because they are one argument.
    """
    ordered = sorted(query.params, key=lambda param: param.number)
    written = list(dict.fromkeys(_written_as(param) for param in ordered))
    named = Scope(used).distinct([argument(name) for name, _ in written])
    names = dict(zip(written, named, strict=True))
    return [names[_written_as(param)] for param in ordered]


def _written_as(param: TypedParam) -> tuple[str, int]:
    return (param.row, 0) if param.row else (param.name, param.number)
