"""Settings that all functions of a generated package share."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.config.project import ModelKind, PythonTarget
from aiosqlc.drivers import Driver, driver_of
from aiosqlc.ir import (
    Analysis,
    Catalog,
    ColumnRef,
    Constraint,
    JsonShape,
    Table,
    TypedQuery,
    TypeKind,
)
from aiosqlc.plan.documents import MAKER, MODULE
from aiosqlc.plan.errors import ErrorKey, plan_errors
from aiosqlc.plan.gathered import Kind
from aiosqlc.plan.model import Import, PyError
from aiosqlc.plan.naming import camel, singular
from aiosqlc.source import Dialect
from aiosqlc.store.digest import digest_of
from aiosqlc.store.memo import memo_by


class Package(Struct, frozen=True, dict=True):
    """The settings, import paths and schema of a generated package; `digest` is a hash of them.

    `renamed` are the classes whose own names are already in use. `stored` are the declared
    structures of JSON columns.
    """

    target: PythonTarget
    catalog: Catalog
    engine: Dialect = Dialect.POSTGRESQL
    digest: str = ""
    renamed: Mapping[Kind, str] = field(default_factory=dict)
    errors: dict[ErrorKey, PyError] = field(default_factory=dict)
    stored: Mapping[ColumnRef, JsonShape] = field(default_factory=dict)

    @cached_property
    def driver(self) -> Driver:
        """Return the driver that the generated code uses."""
        return driver_of(self.target.driver, self.engine)

    @property
    def models_name(self) -> str:
        """Return the import of the module with the shared classes."""
        return self.in_package("models")

    def in_package(self, name: str) -> str:
        """Return the import of a module in this package, absolute if the package has a name."""
        return f"{self.target.package}.{name}" if self.target.package else f".{name}"

    @property
    def json_maker(self) -> Import:
        """Return the import of the function that creates JSON decoders."""
        return (self.in_package(MODULE), MAKER)

    @property
    def first_party(self) -> frozenset[str]:
        """Return the user's top-level packages, which import sorting treats as first party."""
        names = (self.target.package, self.target.executor)
        return frozenset(name.partition(".")[0] for name in names if name)

    @cached_property
    def tables(self) -> dict[tuple[str, str], Table]:
        """Return the tables of the schema by name."""
        return {(table.schema, table.name): table for table in self.catalog.tables}

    @cached_property
    def singulars(self) -> frozenset[tuple[str, str]]:
        """Return each table's schema and singular name, from which its class name is made."""
        return frozenset((table.schema, singular(table.name)) for table in self.catalog.tables)

    @cached_property
    def enums(self) -> frozenset[tuple[str, str]]:
        """Return the names of the schema's enums."""
        kinds = (kind for kind in self.catalog.types if kind.kind is TypeKind.ENUM)
        return frozenset((kind.schema, kind.name) for kind in kinds)

    @cached_property
    def particular(self) -> frozenset[str]:
        """Return the names of the query columns for which an override exists."""
        asked = (item for item in self.target.overrides if item.only != "param")
        return frozenset(item.query for item in asked if item.query)

    def executor(self, name: str) -> Import:
        """Return the import of a Protocol from the configured module, or from the generated one."""
        if name in ("Executor", "Reader") and self.target.executor:
            return (self.target.executor, name)
        return (self.in_package("executor"), name)

    def unset(self) -> tuple[Import, Import]:
        """Return the imports of UNSET and its type, from msgspec if the package uses msgspec."""
        if self.target.models is ModelKind.MSGSPEC:
            return ("msgspec", "UNSET"), ("msgspec", "UnsetType")
        return (self.in_package("executor"), "UNSET"), (self.in_package("executor"), "Unset")

    def errors_of(self, query: TypedQuery) -> tuple[PyError, ...]:
        """Return the exceptions for the constraints that a query can violate."""
        violations = self.driver.violations
        if not self.target.emit_exceptions or violations is None:
            return ()
        return plan_errors(query.violable, self.errors, violations)

    def class_of(self, module: str) -> str:
        """Return the name of the class that has a module's functions as methods, or ''."""
        if not self.target.emit_class and not self.target.emit_protocol:
            return ""
        return "Queries" if module == "queries" else f"{camel(module)}Queries"


def package_of(target: PythonTarget, analysis: Analysis, engine: Dialect) -> Package:
    """Return the settings of the package that is generated for the analysed queries.

    If the arguments have not changed, return the object of the last call.
    """
    found: dict[Constraint, None] = {}
    if target.emit_exceptions:  # the first of several constraints with one name keeps the name
        found = dict.fromkeys(item for query in analysis.queries for item in query.violable)
    # The configuration file's text and positions do not matter.
    target = replace(target, json=())
    digest = digest_of(target, analysis.catalog.digest, engine, tuple(found), analysis.stored)
    return _package(digest, target, analysis.catalog, engine, tuple(found), analysis.stored)


def with_renamed(package: Package, renamed: Mapping[Kind, str]) -> Package:
    """Return a package's settings with the new class names in `renamed`."""
    digest = digest_of(package.digest, tuple(renamed.items()))
    return replace(package, digest=digest, renamed=dict(renamed))


@memo_by(lambda digest, *_: digest)
def _package(
    digest: str,
    target: PythonTarget,
    catalog: Catalog,
    engine: Dialect,
    constraints: tuple[Constraint, ...],
    stored: tuple[tuple[ColumnRef, JsonShape], ...],
) -> Package:
    package = Package(target, catalog, engine, digest, stored=dict(stored))
    if violations := package.driver.violations:
        named_first = sorted(constraints, key=lambda item: item.kind == "not_null")
        plan_errors(named_first, package.errors, violations)
    return package
