"""Plans the modules of one query set: one per query file, and `models` for what they share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiosqlc.config.project import ModelKind, PythonTarget
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.hints import hinted_types
from aiosqlc.parse.scanner import Dialect
from aiosqlc.plan.clashes import check_fields, check_module
from aiosqlc.plan.errors import plan_errors
from aiosqlc.plan.function import plan_function
from aiosqlc.plan.model import (
    Import,
    PyClass,
    PyError,
    PyField,
    PyFunction,
    PyModule,
    PyNested,
    PyRow,
    PyType,
)
from aiosqlc.plan.naming import argument, camel, identifier, singular, snake
from aiosqlc.plan.sharing import share_shapes
from aiosqlc.plan.types import TypeResolver
from aiosqlc.stages import (
    Analysis,
    Catalog,
    Column,
    ColumnRef,
    Table,
    TypedEmbed,
    TypedQuery,
)


def plan_modules(
    target: PythonTarget, analysis: Analysis, engine: Dialect = Dialect.POSTGRESQL
) -> tuple[tuple[PyModule, ...], list[Diagnostic]]:
    """Plan every module of a query set. With diagnostics, the modules are not to be printed."""
    overrides = (*hinted_types(analysis.queries), *target.overrides)
    planner = Planner(replace(target, overrides=overrides), analysis.catalog, engine)
    modules = [
        planner.module(
            path, [query for query in analysis.queries if query.parsed.file.path == path]
        )
        for path in dict.fromkeys(query.parsed.file.path for query in analysis.queries)
    ]
    models = planner.models_module()
    problems = planner.problems
    for module in (*modules, models):
        problems += check_module(module, analysis.queries)
    return (*([models] if models.enums or models.classes else []), *modules), problems


@dataclass
class Planner:
    """Plans one query set; what queries share gathers here."""

    target: PythonTarget
    catalog: Catalog
    engine: Dialect = Dialect.POSTGRESQL
    problems: list[Diagnostic] = field(default_factory=list)
    shared: dict[tuple[str, str], PyClass] = field(default_factory=dict)
    shared_rows: dict[str, PyClass] = field(default_factory=dict)
    errors: dict[tuple[str, str, str], PyError] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.types = TypeResolver(
            self.target, self.models_name, self.catalog.default_schema, self.engine
        )
        self.tables = {(table.schema, table.name): table for table in self.catalog.tables}

    @property
    def models_name(self) -> str:
        """How the module of shared classes is imported."""
        return self.in_package("models")

    def in_package(self, name: str) -> str:
        """Return how a module of this package is imported: absolutely where its name is known."""
        return f"{self.target.package}.{name}" if self.target.package else f".{name}"

    @property
    def first_party(self) -> frozenset[str]:
        """Top-level packages that are the user's own, for the order of imports."""
        names = (self.target.package, self.target.executor)
        return frozenset(name.partition(".")[0] for name in names if name)

    def executor(self, name: str) -> Import:
        """Return where a Protocol comes from: the configured module, or the one written here."""
        if name == "Executor" and self.target.executor:
            return (self.target.executor, name)
        return (self.in_package("executor"), name)

    def unset(self) -> tuple[Import, Import]:
        """Return where UNSET and its type come from: msgspec's own serve its users best."""
        if self.target.models is ModelKind.MSGSPEC:
            return ("msgspec", "UNSET"), ("msgspec", "UnsetType")
        return (self.in_package("executor"), "UNSET"), (self.in_package("executor"), "Unset")

    def module(self, path: Path, queries: Sequence[TypedQuery]) -> PyModule:
        """Plan the module of one query file."""
        name = identifier(snake(path.name.removesuffix(".sql")))
        functions = tuple(share_shapes(self.function(query) for query in queries))
        imports = frozenset[Import]().union(*(function.imports for function in functions))
        return PyModule(
            path=self.target.out / f"{name}.py",
            source=path.as_posix(),
            doc=queries[0].parsed.heading or (f"The queries of {path.name}.",),
            functions=functions,
            class_name=self.class_of(name),
            protocol=self.target.emit_protocol,
            imports=imports,
            first_party=self.first_party,
        )

    def errors_of(self, query: TypedQuery) -> tuple[PyError, ...]:
        """Return the exceptions for the constraints that a query can violate."""
        if not self.target.emit_exceptions:
            return ()
        return plan_errors(query.violable, self.errors)

    def class_of(self, module: str) -> str:
        """Return the name of a module's class, where its functions are to be methods."""
        if not self.target.emit_class and not self.target.emit_protocol:
            return ""
        return "Queries" if module == "queries" else f"{camel(module)}Queries"

    def models_module(self) -> PyModule:
        """Plan `models.py`: enums, composites and the rows of whole tables."""
        enums = tuple(self.types.enums.values())
        classes = (
            *self.types.composites.values(),
            *self.shared.values(),
            *self.shared_rows.values(),
        )
        imports = frozenset[Import]().union(
            *(item.type.imports_in(item.type.annotation) for cls in classes for item in cls.fields)
        )
        return PyModule(
            path=self.target.out / "models.py",
            source="",
            doc=("Row classes and enums that several queries share.",),
            enums=enums,
            classes=_in_order(classes),
            imports=frozenset(item for item in imports if item[0] != self.models_name),
            first_party=self.first_party,
        )

    def function(self, query: TypedQuery) -> PyFunction:
        """Plan the function of one query."""
        function, problems = plan_function(query, self)
        self.problems += problems
        return function

    def own_name(self, query: TypedQuery) -> str:
        """Return the name of the row class that only this query uses."""
        return f"{camel(query.parsed.name)}Row"

    def row(self, query: TypedQuery) -> PyRow:
        """Plan how a row of this query is read."""
        columns = tuple(self.column(query, column) for column in query.columns)
        nested = tuple(self.nested(embed) for embed in query.embeds)
        if len(columns) == 1 and not nested:
            only = columns[0]
            imports = only.imports_in(only.annotation, only.decode)
            return PyRow(only.annotation, columns, ("value",), imports=imports)
        cls, where = self.row_class(query, columns, nested)
        classes = {(where, cls.name)} if where else set[Import]()
        classes |= {(self.models_name, item.cls.name) for item in nested}
        return PyRow(
            cls.name,
            columns,
            _local_names(query, nested, _taken(query, columns)),
            cls,
            nested,
            frozenset(classes).union(*(column.imports_in(column.decode) for column in columns)),
        )

    def column(self, query: TypedQuery, column: Column) -> PyType:
        """Return the type of one result column."""
        return self.types.column(
            column.type,
            not_null=column.not_null,
            element_not_null=column.element_not_null,
            origin=column.origin,
            query=f"{query.parsed.name}.{column.name}",
        )

    def nested(self, embed: TypedEmbed) -> PyNested:
        """Plan the nested row of an embed."""
        table = self.tables[embed.table.schema, embed.table.table]
        return PyNested(
            embed.first,
            embed.count,
            self.table_class(table),
            embed.presence if embed.nullable else None,
        )

    def row_class(
        self, query: TypedQuery, columns: tuple[PyType, ...], nested: tuple[PyNested, ...]
    ) -> tuple[PyClass, str]:
        """Return the row's class and the module it is imported from (empty: this one)."""
        table = self.whole_table(query)
        if table and not nested:
            return self.table_class(table), self.models_name
        fields = _fields(query, columns, nested)
        self.problems += check_fields(query, fields)
        cls = PyClass(self.own_name(query), self.target.models, fields)
        named = dict(query.parsed.options).get("row")
        if not named:
            return cls, ""
        cls = replace(cls, name=named)
        known = self.shared_rows.setdefault(named, cls)
        if known.fields != cls.fields:
            self.problems.append(_different_shape(query, named))
        return known, self.models_name

    def whole_table(self, query: TypedQuery) -> Table | None:
        """Return the table whose columns these are: all of them, in order, no less certain."""
        origins = [column.origin for column in query.columns]
        first = origins[0] if origins else None
        table = self.tables.get((first.schema, first.table)) if first else None
        if not table or len(table.columns) != len(origins):
            return None
        for column, origin, own in zip(query.columns, origins, table.columns, strict=True):
            expected = ColumnRef(table.schema, table.name, own.name)
            if origin != expected or column.name != own.name:
                return None
            if own.not_null and not column.not_null:
                return None
        queried = (f"{query.parsed.name}.{column.name}" for column in query.columns)
        particular = {override.query for override in self.target.overrides}
        return None if particular.intersection(queried) else table

    def table_class(self, table: Table) -> PyClass:
        """Return the shared class of a table's rows."""
        key = (table.schema, table.name)
        if key not in self.shared:
            fields = tuple(
                PyField(
                    identifier(column.name),
                    self.types.column(
                        column.type,
                        not_null=column.not_null,
                        element_not_null=column.element_not_null,
                        origin=ColumnRef(table.schema, table.name, column.name),
                    ),
                )
                for column in table.columns
            )
            name = self.types.class_name(table.schema, singular(table.name))
            doc = table.comment or f"A row of {table.name}."
            self.shared[key] = PyClass(name, self.target.models, fields, doc)
        return self.shared[key]


def _fields(
    query: TypedQuery, columns: tuple[PyType, ...], nested: tuple[PyNested, ...]
) -> tuple[PyField, ...]:
    """Return a row class's fields: one per column, one for all columns of an embed."""
    fields: list[PyField] = []
    starts = {item.first: (item, embed) for item, embed in zip(nested, query.embeds, strict=True)}
    position = 0
    while position < len(columns):
        if position in starts:
            item, embed = starts[position]
            suffix = "" if item.presence is None else " | None"
            kind = PyType(f"{item.cls.name}{suffix}", atomic=False)
            fields.append(PyField(identifier(embed.name), kind))
            position += item.count
            continue
        name = _column_name(query.columns[position], position)
        fields.append(PyField(name, columns[position]))
        position += 1
    return tuple(fields)


def _column_name(column: Column, position: int) -> str:
    if column.name in {"", "?column?"}:
        return f"column_{position + 1}"
    return identifier(column.name)


def _local_names(
    query: TypedQuery, nested: tuple[PyNested, ...], taken: frozenset[str]
) -> tuple[str, ...]:
    """Return a distinct local name for every column, for rows that are read by name."""
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
    """Return the names a function's body uses for something else than a column."""
    converters = {name for column in columns for _, name in column.imports}
    converters |= {word for column in columns for word in re.findall(r"\w+", column.decode)}
    return frozenset({"db", "row", "rows", *converters, *(argument(p.name) for p in query.params)})


def _in_order(classes: Sequence[PyClass]) -> tuple[PyClass, ...]:
    """Put classes after those their fields use; names decide the rest, so that output is stable."""
    names = {cls.name for cls in classes}
    ordered: dict[str, PyClass] = {}
    by_name = {cls.name: cls for cls in sorted(classes, key=lambda cls: cls.name)}

    def visit(cls: PyClass) -> None:
        if cls.name in ordered:
            return
        for item in cls.fields:
            for name in sorted(names):
                uses = {imported for _, imported in item.type.imports}
                if name in uses and name != cls.name:
                    visit(by_name[name])
        ordered[cls.name] = cls

    for cls in by_name.values():
        visit(cls)
    return tuple(ordered.values())


def _different_shape(query: TypedQuery, name: str) -> Diagnostic:
    return Diagnostic(
        "E405",
        f"row class `{name}` has two shapes",
        (Label(query.parsed.file, query.parsed.name_span, "this query's columns differ"),),
        hint="queries that share a row class select the same names and types in the same order",
    )
