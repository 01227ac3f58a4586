"""Find the violated constraint from the error number and message of MySQL or MariaDB."""

from __future__ import annotations

from msgspec.structs import replace

from aiosqlc.drivers.port import Violations

_FIND = '''\
def constraint_error(error: DatabaseError, *tables: str) -> DatabaseError:
    """Return the exception of the violated constraint, with the server's details.

    `tables` are the tables that the statement can violate, because MySQL's message names only
    the key or the column.
    """
    code, said = error.args if len(error.args) == 2 else (0, "")
    found = [
        known
        for constraint, known in _BY_CONSTRAINT.items()
        if _is_said(constraint, code, str(said), tables)
    ]
    if len(found) != 1:
        return error
    typed: Any = found[0](*error.args)
    typed.sqlstate = getattr(error, "sqlstate", None)
    violation: DatabaseError = typed
    return violation


def _is_said(
    constraint: tuple[str, str, str], code: object, said: str, tables: Sequence[str]
) -> bool:
    """Return whether the error number and the quoted names belong to this constraint."""
    kind, table, name = constraint
    owner, quoted, of_column = (
        f"`{part.replace('`', '``')}`" for part in (table, name, f"{table}.{name}")
    )
    if code in (1062, 1586) and kind in ("primary", "unique"):
        here = table in tables and said.endswith(f" '{name}'")
        return here or said.endswith(f"'{table}.{name}'")
    if code == 1761 and kind in ("primary", "unique"):
        return said.endswith(f" in table '{table}', key '{name}'")
    if code == 1048 and kind == "not_null":
        return table in tables and said == f"Column '{name}' cannot be null"
    if code in (1451, 1452) and kind == "foreign":
        return f"{owner}, CONSTRAINT {quoted} FOREIGN KEY" in said
    if code == 4025 and kind == "check":
        named = f" {quoted} " in said or f" {of_column} " in said
        return named and said.endswith(f".{owner}")
    return code == 3819 and kind == "check" and f"'{name}'" in said
'''
OF_PYMYSQL = Violations(
    module="pymysql.err",
    root=("pymysql.err", "DatabaseError"),
    caught="DatabaseError",
    by_kind={
        "unique": "IntegrityError",
        "primary": "IntegrityError",
        "foreign": "IntegrityError",
        "check": "OperationalError",
        "not_null": "IntegrityError",
    },
    find=_FIND,
    entry="({kind}, {table}, {constraint})",
    null_entry="({kind}, {table}, {constraint})",
    key="tuple[str, str, str]",
    imports=frozenset({("collections.abc", "Sequence"), ("typing", "Any")}),
    raised="constraint_error(violation{tables}) from violation.__cause__",
    named_in_table=True,
    untyped=True,
)
OF_ASYNCMY = replace(
    OF_PYMYSQL, module="asyncmy.errors", root=("asyncmy.errors", "DatabaseError"), untyped=False
)
