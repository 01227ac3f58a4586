"""Immutable data classes for the configuration."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.config.policy import McpPolicy
from aiosqlc.source import Dialect, SourceFile, Span

if TYPE_CHECKING:  # the check for changes imports no stage of the compiler
    from aiosqlc.ir import StoredJson, Tenant


class ModelKind(StrEnum):
    """The kind of the generated row classes: dataclasses, or classes of a library."""

    DATACLASS = "dataclass"
    MSGSPEC = "msgspec"
    PYDANTIC = "pydantic"
    ATTRS = "attrs"


class Override(Struct, frozen=True):
    """A setting that gives a database type, a table column or a query's column a Python type.

    The target is one of `db_type`, `column` (`table.column`) and `query` (`Query.column`). With
    `query`, `only` can limit the override to parameters (`param`) or result columns (`column`).
    `decode` and `encode` are dotted names of functions. Without these functions, JSON is decoded to
    the type, and the driver's value is passed to a type without parameters, such as `app.UserId`.
    """

    span: Span
    python_type: str
    db_type: str = ""
    column: str = ""
    query: str = ""
    decode: str = ""
    encode: str = ""
    only: str = ""


class PythonTarget(Struct, frozen=True):
    """Settings of the generated Python code. `package` is the dotted import name of `out`.

    `driver` is the driver of the code, or empty for the engine's default. For each driver in
    `beside`, a subpackage has functions for this driver, which use the same classes. `executor` is
    the module that exports an Executor Protocol. If it is empty, the Protocol is generated with the
    code. With `emit_class`, the functions of a module are methods. `emit_protocol` also generates
    Protocols of these methods. With `emit_exceptions`, each constraint that a query can violate has
    its own exception class. `emit_helpers` adds transactions with retries and an executor that
    reports every query. `typed_json` decodes JSON to generated classes if the query determines its
    shape. `json` are the declared structures of JSON columns. With `readers`, functions that are
    proved to only read take a `Reader`, which can be a replica. `same_as` is the package of an
    earlier entry for another engine. The functions of both packages must agree. `contract` is the
    path of the test that compares the results of both engines. `contract_values` maps parameters to
    the values that the test must use.
    """

    out: Path
    span: Span
    package: str = ""
    driver: str = ""
    beside: tuple[str, ...] = ()
    models: ModelKind = ModelKind.DATACLASS
    executor: str = ""
    emit_class: bool = False
    emit_protocol: bool = False
    emit_exceptions: bool = False
    emit_helpers: bool = False
    readers: bool = False
    typed_json: bool = False
    json: tuple[StoredJson, ...] = ()
    overrides: tuple[Override, ...] = ()
    same_as: str = ""
    contract: Path | None = None
    contract_values: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def on_others(self) -> Iterator[PythonTarget]:
        """Yield the settings of the package that is generated for each additional driver."""
        for driver in self.beside:
            # Not `psycopg`, which is the name of the driver's own package.
            name = f"on_{driver.replace('-', '_')}"
            package = f"{self.package}.{name}" if self.package else ""
            yield replace(
                self, out=self.out / name, package=package, driver=driver, beside=(), contract=None
            )


class JsonTarget(Struct, frozen=True):
    """The path and indentation of the JSON document for `gen: json:`, in sqlc's format."""

    out: Path
    filename: str = "codegen_request.json"
    indent: str = ""


class DeclaredColumn(Struct, frozen=True):
    """The declared distribution of a column.

    `values` has each value with its fraction of all rows. `distinct` is the number of distinct
    values, and `nulls` is the fraction of rows with NULL; both are None if they are not declared.
    `places` are the spans of the declared properties by name.
    """

    name: str
    span: Span
    values: tuple[tuple[str, float], ...] = ()
    distinct: int | None = None
    nulls: float | None = None
    places: tuple[tuple[str, Span], ...] = ()

    def span_of(self, key: str) -> Span:
        """Return the span of a property if it is declared, or else of the whole distribution."""
        return dict(self.places).get(key, self.span)


class DeclaredTable(Struct, frozen=True):
    """The declared size of a table (`orders`, or `sales.orders`); `rows` is None if undeclared."""

    name: str
    span: Span
    rows: int | None
    columns: tuple[DeclaredColumn, ...] = ()


class Production(Struct, frozen=True):
    """The database in production: `statistics` is the file with its statistics, if there is one.

    `tables` are declared sizes of tables, for projects without a production database.
    """

    statistics: Path | None = None
    tables: tuple[DeclaredTable, ...] = ()


class QuerySet(Struct, frozen=True):
    """One entry of `sql:`: a schema, its queries and its outputs.

    `server` is `mysql` or `mariadb` if the queries are for only one of the two, or else empty.
    `tenant_at` is the position of the key `tenant`.
    """

    index: int
    span: Span
    engine: Dialect
    schema: tuple[str, ...]
    queries: tuple[str, ...]
    schema_span: Span
    queries_span: Span
    name: str = ""
    database_uri: str | None = None
    strict: bool = False
    not_null_functions: tuple[str, ...] = ()
    shims: tuple[str, ...] = ()
    vet_rules: tuple[str, ...] = ()
    server: str = ""
    tenant: Tenant | None = None
    tenant_at: tuple[SourceFile, Span] | None = None
    production: Production | None = None
    python: PythonTarget | None = None
    json: JsonTarget | None = None


class Project(Struct, frozen=True):
    """A configuration file.

    `root` is the folder of the configuration file, and relative paths start there.
    """

    file: SourceFile
    root: Path
    sets: tuple[QuerySet, ...] = ()
    mcp: McpPolicy | None = None
