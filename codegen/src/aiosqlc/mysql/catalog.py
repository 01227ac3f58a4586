"""Read the schema from the server's `information_schema`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from aiosqlc.ir import Catalog, Constraint, SqlType, Table, TableColumn, TypeKind
from aiosqlc.mysql import types
from aiosqlc.mysql.relations import DEFAULT, Reference, Relation, Routine, Schema
from aiosqlc.mysql.views import settle_views
from aiosqlc.parse.json_checks import required_kind
from aiosqlc.servers.mysql.databases import MARK
from aiosqlc.servers.mysql.session import SYSTEM, Session

# Names of databases and tables are case-sensitive, but not in `information_schema`.
_COLUMNS = """
SELECT c.table_schema, c.table_name, t.table_type, t.table_comment, c.column_name, c.column_type,
       c.is_nullable, c.column_default IS NOT NULL, c.extra, c.column_comment, c.collation_name,
       t.engine
FROM information_schema.columns c
JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
 AND CAST(t.table_schema AS BINARY) = CAST(c.table_schema AS BINARY)
 AND CAST(t.table_name AS BINARY) = CAST(c.table_name AS BINARY)
WHERE c.table_schema IN %s
ORDER BY c.table_schema, c.table_name, c.ordinal_position
"""
_KEYS = """
SELECT table_schema, table_name, index_name, column_name, sub_part,
 (table_schema, table_name) IN
 (SELECT table_schema, table_name FROM information_schema.tables WHERE engine = 'MRG_MyISAM')
FROM information_schema.statistics
WHERE non_unique = 0 AND table_schema IN %s
ORDER BY table_schema, table_name, index_name, seq_in_index
"""
_CONSTRAINTS = """
SELECT c.constraint_schema, c.table_name, c.constraint_name, c.constraint_type, k.column_name
FROM information_schema.table_constraints c
LEFT JOIN information_schema.key_column_usage k
  ON k.constraint_schema = c.constraint_schema AND k.table_name = c.table_name
 AND k.constraint_name = c.constraint_name
 AND CAST(k.constraint_schema AS BINARY) = CAST(c.constraint_schema AS BINARY)
 AND CAST(k.table_name AS BINARY) = CAST(c.table_name AS BINARY)
WHERE c.constraint_schema IN %s
ORDER BY c.constraint_schema, c.table_name, c.constraint_name, k.ordinal_position
"""
_REFERRING = """
SELECT c.constraint_schema, c.table_name, c.constraint_name, c.update_rule, c.delete_rule,
       k.referenced_table_schema, k.referenced_table_name, k.referenced_column_name
FROM information_schema.referential_constraints c
JOIN information_schema.key_column_usage k
  ON k.constraint_schema = c.constraint_schema AND k.table_name = c.table_name
 AND k.constraint_name = c.constraint_name AND k.referenced_column_name IS NOT NULL
 AND CAST(k.constraint_schema AS BINARY) = CAST(c.constraint_schema AS BINARY)
 AND CAST(k.table_name AS BINARY) = CAST(c.table_name AS BINARY)
WHERE c.constraint_schema IN %s
ORDER BY c.constraint_schema, c.table_name, c.constraint_name, k.ordinal_position
"""
_TRIGGERS = """
SELECT event_object_schema, event_object_table, event_manipulation, trigger_name
FROM information_schema.triggers WHERE event_object_schema IN %s
"""
_VIEWS = """
SELECT table_schema, table_name, view_definition
FROM information_schema.views WHERE table_schema IN %s
"""
_ROUTINES = """
SELECT specific_name, parameter_name, dtd_identifier, parameter_mode
FROM information_schema.parameters
WHERE specific_schema IN %s
ORDER BY specific_schema, specific_name, ordinal_position
"""
# In MySQL, CHECK names are unique per schema and have no table; old versions lack the view.
_CHECKS = """
SELECT constraint_schema, {table}, constraint_name, check_clause
FROM information_schema.check_constraints WHERE constraint_schema IN %s
"""
_HAS_CHECKS = """
SELECT table_name FROM information_schema.tables
WHERE table_schema = 'information_schema' AND table_name = 'CHECK_CONSTRAINTS'
"""
_QUOTED = re.compile(r"`((?:[^`]|``)+)`")
# MariaDB stores JSON as LONGTEXT with this CHECK.
_IS_JSON = re.compile(r"^\(?json_valid\(`(?P<column>(?:[^`]|``)+)`\)\)?$", re.IGNORECASE)
_BODIES = """
SELECT routine_schema, routine_name, routine_definition
FROM information_schema.routines WHERE routine_type = 'PROCEDURE' AND routine_schema IN %s
"""
_KINDS = {"PRIMARY KEY": "primary", "UNIQUE": "unique", "FOREIGN KEY": "foreign", "CHECK": "check"}
Name = tuple[str, str]


def read_schema(session: Session, database: str, others: Iterable[str] = ()) -> Schema:
    """Read the tables, views and routines of the databases `database` and `others`."""
    databases = (database, *others)
    shown = {name: DEFAULT if name == database else name for name in databases}
    keys, arbiters = _keys(session, databases)
    checks = checks_of(session, databases)
    constraints = _constraints(session, databases, shown, checks)
    definitions = {(row[0], row[1]): row[2] or "" for row in _rows(session, _VIEWS, databases)}
    json = _json_columns(checks) if session.is_mariadb else set()
    rows: dict[Name, list[tuple[object, ...]]] = defaultdict(list)
    for row in _rows(session, _COLUMNS, databases):
        if row[1] != MARK:
            rows[row[0], row[1]].append(row)
    referring = _referring(session, databases, constraints)
    fired: dict[Name, set[tuple[str, str]]] = defaultdict(set)
    for schema, table, event, trigger in _rows(session, _TRIGGERS, databases):
        fired[schema, table].add((str(event).upper(), str(trigger)))
    relations = [
        replace(
            _relation(
                name,
                found,
                shown,
                keys.get(name, ()),
                constraints.get(name, ()),
                definitions.get(name),
                json,
                _conditions(name, constraints.get(name, ()), checks),
            ),
            referring=referring.get(name, ()),
            triggers=frozenset(event for event, _ in fired.get(name, ())),
            fired=frozenset(fired.get(name, ())),
            arbiters=arbiters.get(name, ()),
        )
        for name, found in rows.items()
    ]
    found = Schema(tuple(relations), _routines(session, databases))
    texts = {
        (shown[schema], name): text.replace(f"`{database}`.", "")
        for (schema, name), text in definitions.items()
    }
    return settle_views(found, texts)


def catalog_of(schema: Schema) -> Catalog:
    """Return the catalog for generators, without the server's system tables."""
    known = (relation.table for relation in schema.relations)
    tables = tuple(table for table in known if table.schema not in SYSTEM)
    enums = tuple(
        column.type
        for table in tables
        for column in table.columns
        if column.type.kind is TypeKind.ENUM and table.kind == "table"
    )
    return Catalog(tables, enums, DEFAULT)


def _relation(
    name: Name,
    rows: list[tuple[object, ...]],
    shown: dict[str, str],
    keys: tuple[tuple[str, ...], ...],
    constraints: tuple[Constraint, ...],
    definition: str | None,
    json: set[tuple[str, str, str]],
    conditions: Sequence[str],
) -> Relation:
    columns = []
    for row in rows:
        extra = str(row[8]).lower()
        kind = types.declared(str(row[5]), enum_name=f"{name[1]}_{row[4]}")
        if (*name, str(row[4])) in json:
            kind = types.JSON
        own = name[0] in SYSTEM  # versions differ in the nullability and enums of system tables
        columns.append(
            TableColumn(
                name=str(row[4]),
                type=types.VARCHAR if own and kind.kind is TypeKind.ENUM else kind,
                not_null=row[6] == "NO" and not own,
                has_default=bool(row[7]) or "auto_increment" in extra or "generated" in extra,
                comment=str(row[9] or ""),
                json_kind=required_kind(conditions, str(row[4])) if conditions else "",
            )
        )
    is_view = definition is not None
    comment = "" if is_view else str(rows[0][3] or "")
    table = Table(
        schema=shown[name[0]],
        name=name[1],
        columns=tuple(columns),
        kind="view" if is_view else "table",
        comment=comment,
        constraints=(*constraints, *_not_nulls(shown[name[0]], name[1], columns, is_view=is_view)),
    )
    return Relation(
        table=table,
        unique=keys,
        collations={str(row[4]).lower(): str(row[10]) for row in rows if row[10]},
        invisible=_marked(rows, "invisible"),
        generated=_marked(rows, " generated"),
        counted=_marked(rows, "auto_increment"),
        transactional=str(rows[0][11]).lower() == "innodb",
        padded=frozenset(str(row[4]).lower() for row in rows if "zerofill" in str(row[5]).lower()),
    )


def _conditions(
    name: Name, constraints: Sequence[Constraint], checks: dict[tuple[str, str, str], str]
) -> list[str]:
    """Return the CHECK conditions of a table; MySQL lists them only by constraint name."""
    names = {item.name for item in constraints if item.kind == "check"}
    return [
        text
        for (schema, table, check), text in checks.items()
        if schema == name[0] and (table == name[1] or (not table and check in names))
    ]


def _marked(rows: list[tuple[object, ...]], word: str) -> frozenset[str]:
    return frozenset(str(row[4]).lower() for row in rows if word in str(row[8]).lower())


def _not_nulls(
    schema: str, table: str, columns: list[TableColumn], *, is_view: bool
) -> tuple[Constraint, ...]:
    if is_view:
        return ()
    return tuple(
        Constraint(schema, table, f"{table}.{column.name}", "not_null", (column.name,))
        for column in columns
        if column.not_null
    )


def _rows(session: Session, sql: str, databases: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """Return the rows of a catalog query that belong to exactly these databases.

    `information_schema` may also return databases whose names differ in case.
    """
    return [row for row in session.rows(sql, databases) if row[0] in databases]


def _keys(
    session: Session, databases: tuple[str, ...]
) -> tuple[dict[Name, tuple[tuple[str, ...], ...]], dict[Name, tuple[frozenset[str], ...]]]:
    """Return the unique keys on columns, and the columns of all unique keys, for each table.

    The first result omits keys of MERGE tables, and keys with a prefix (`name(10)`) or an
    expression, because these do not make columns unique. The second result omits only prefixes
    and expressions.
    """
    parts: dict[tuple[str, str, str], list[str | None]] = defaultdict(list)
    merged: set[Name] = set()
    for schema, table, index, column, prefix, merges in _rows(session, _KEYS, databases):
        parts[schema, table, index].append(None if prefix is not None else column)
        merged |= {(schema, table)} if merges else set()
    keys: dict[Name, tuple[tuple[str, ...], ...]] = {}
    arbiters: dict[Name, tuple[frozenset[str], ...]] = {}
    for (schema, table, _), columns in parts.items():
        whole = tuple(column.lower() for column in columns if column)
        arbiters[schema, table] = (*arbiters.get((schema, table), ()), frozenset(whole))
        if len(whole) == len(columns) and (schema, table) not in merged:
            keys[schema, table] = (*keys.get((schema, table), ()), whole)
    return keys, arbiters


def checks_of(session: Session, databases: tuple[str, ...]) -> dict[tuple[str, str, str], str]:
    """Return the CHECK conditions by database, table name (empty on MySQL) and constraint name."""
    if session.is_mariadb:
        rows = _rows(session, _CHECKS.format(table="table_name"), databases)
    elif session.rows(_HAS_CHECKS):
        rows = _rows(session, _CHECKS.format(table="''"), databases)
    else:
        rows = []
    return {(schema, table, name): str(clause) for schema, table, name, clause in rows}


def _constraints(
    session: Session,
    databases: tuple[str, ...],
    shown: dict[str, str],
    checks: dict[tuple[str, str, str], str],
) -> dict[Name, tuple[Constraint, ...]]:
    columns: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for schema, table, name, kind, column in _rows(session, _CONSTRAINTS, databases):
        columns[schema, table, name, kind] += [column] if column else []
    found: dict[Name, tuple[Constraint, ...]] = {}
    for (schema, table, name, kind), names in columns.items():
        if kind == "CHECK":
            clause = checks.get((schema, table, name)) or checks.get((schema, "", name), "")
            names += dict.fromkeys(_unquoted(part) for part in _QUOTED.findall(clause))
        constraint = Constraint(shown[schema], table, name, _KINDS.get(kind, "check"), tuple(names))
        found[schema, table] = (*found.get((schema, table), ()), constraint)
    return found


def _referring(
    session: Session, databases: tuple[str, ...], constraints: dict[Name, tuple[Constraint, ...]]
) -> dict[Name, tuple[Reference, ...]]:
    """Return the foreign keys that refer to each table."""
    columns: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for *key, column in _rows(session, _REFERRING, databases):
        columns[tuple(key)].append(column)
    found: dict[Name, tuple[Reference, ...]] = {}
    for (schema, table, name, update, delete, *referred), names in columns.items():
        for constraint in constraints.get((schema, table), ()):
            if constraint.name == name and constraint.kind == "foreign":
                reference = Reference(constraint, tuple(names), update, delete)
                target = (referred[0], referred[1])
                found[target] = (*found.get(target, ()), reference)
    return found


def _json_columns(checks: dict[tuple[str, str, str], str]) -> set[tuple[str, str, str]]:
    found = set()
    for (schema, table, _), clause in checks.items():
        match = _IS_JSON.match(clause.strip())
        if match:
            found.add((schema, table, _unquoted(match["column"])))
    return found


def _unquoted(name: str) -> str:
    return name.replace("``", "`")


def _routines(session: Session, databases: tuple[str, ...]) -> tuple[Routine, ...]:
    params: dict[str, list[tuple[str, SqlType]]] = defaultdict(list)
    returns: dict[str, SqlType] = {}
    modes: dict[str, list[str]] = defaultdict(list)
    for routine, name, kind, mode in session.rows(_ROUTINES, databases):
        if name is None:  # the row of a function's result
            params[routine], returns[routine] = [], types.declared(kind)
        else:
            params[routine].append((name, types.declared(kind)))
            modes[routine].append(mode or "IN")
    bodies = {row[1]: row[2] or "" for row in _rows(session, _BODIES, databases)}
    return tuple(
        Routine(
            name,
            tuple(params.get(name, ())),
            returns.get(name),
            bodies.get(name, ""),
            tuple(modes.get(name, ())),
        )
        for name in dict.fromkeys([*params, *bodies])
    )
