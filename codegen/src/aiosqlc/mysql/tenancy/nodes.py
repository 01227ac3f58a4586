"""Find the syntax nodes that matter for the proof that a statement separates tenants."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from aiosqlc.mysql.known_fields import is_understood
from aiosqlc.mysql.scope import is_dual

# Nodes that may read or write rows beside those of the queries, or values of earlier statements.
_UNKNOWN = (
    exp.Command, exp.DDL, exp.Into, exp.Parameter, exp.PropertyEQ, exp.SessionParameter,
)  # fmt: skip
# Words after SELECT that do not change its rows.
_HINTS = frozenset({
    "HIGH_PRIORITY", "SQL_BIG_RESULT", "SQL_BUFFER_RESULT", "SQL_CACHE", "SQL_NO_CACHE",
    "SQL_SMALL_RESULT", "STRAIGHT_JOIN",
})  # fmt: skip


def is_unknown(node: exp.Expr) -> bool:
    """Return whether a node may access rows, or the session, in a way that is not analysed."""
    if isinstance(node, exp.Dot):
        return isinstance(node.expression, exp.Func)
    modifiers = {str(word).upper() for word in node.args.get("operation_modifiers") or []}
    if node.args.get("into") or modifiers - _HINTS:
        return True
    return isinstance(node, _UNKNOWN) and not isinstance(node, exp.Query | exp.DML)


def is_named(table: exp.Table) -> bool:
    """Return whether a node is the name of a table, a view or a WITH query."""
    return isinstance(table.this, exp.Identifier) and not is_dual(table)


def is_plain(item: exp.Subquery) -> bool:
    """Return whether a FROM item `(…)` has no WITH, LIMIT or OFFSET outside of its parentheses."""
    clauses = ("limit", "offset", "with_")
    return is_understood(item) and not any(item.args.get(clause) for clause in clauses)


def parts(node: exp.Expr) -> list[exp.Expr]:
    """Return the node of a statement and of each FROM item, which the caller must check.

    A node with an unsupported field makes the proof impossible (`is_understood`).
    """
    found, using, clause = [node], node.args.get("using"), node.args.get("from_")
    rest = [clause.this] if clause is not None else []
    rest += node.args.get("joins") or []
    if isinstance(node, exp.Update | exp.Delete):
        rest += [node.this, *(using if isinstance(using, list) else [])]
    while rest:
        item = rest.pop()
        found.append(item)
        if isinstance(item, exp.Join):
            rest.append(item.this)
        rest += item.args.get("joins") or []
        if isinstance(item, exp.Subquery) and isinstance(item.this, exp.Table | exp.Subquery):
            rest.append(item.this)
    return found


def expressions(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the outermost sub-selects in a node's expressions, without those in FROM and WITH."""
    rest = list(node.iter_expressions())
    while rest:
        current = rest.pop()
        if isinstance(current, exp.With | exp.Lateral):
            continue
        if not isinstance(current, exp.Query):
            rest += current.iter_expressions()
        elif not _is_from_item(current):
            yield current
        elif isinstance(current.this, exp.Table | exp.Subquery):  # joined tables in parentheses
            rest += current.iter_expressions()
        else:
            rest += current.args.get("joins") or []


def _is_from_item(node: exp.Expr) -> bool:
    """Return whether a sub-select, or joined tables in parentheses, are an item of FROM."""
    parent = node.parent
    if isinstance(parent, exp.Subquery):
        return _is_from_item(parent)
    written = exp.From | exp.Join | exp.Update | exp.Delete
    return isinstance(parent, written) and node.arg_key in {"this", "using"}


def definition(item: exp.Table) -> tuple[exp.Expr, bool, bool] | None:
    """Return the WITH query `cte` that a name refers to, or None if the name is a table.

    The first flag means that `cte` is recursive. The second means that `cte` contains the name.

    A WITH query can be used by the later ones, and by itself if it is recursive.
    """
    around = item.parent
    while around is not None:
        clause = around.args.get("with_")
        ctes: list[exp.Expr] = clause.expressions if clause is not None else []
        recursive = clause is not None and bool(clause.args.get("recursive"))
        inside = next((cte for cte in ctes if _is_in(item, cte)), None)
        for cte in ctes:
            itself = cte is inside
            if itself and not recursive:
                break
            if cte.alias.lower() == item.name.lower():
                return cte, recursive, itself
            if itself:
                break
        around = around.parent
    return None


def _is_in(node: exp.Expr, around: exp.Expr) -> bool:
    current: exp.Expr | None = node
    while current is not None and current is not around:
        current = current.parent
    return current is around
