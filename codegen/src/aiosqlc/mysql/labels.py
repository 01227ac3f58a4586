"""Warn if an enum column is compared with a text that is not one of its labels."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import ParsedQuery, TypeKind
from aiosqlc.messages.suggest import did_you_mean
from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.scope import unwrap
from aiosqlc.source import Span

_COMPARISONS = (exp.EQ, exp.NEQ, exp.NullSafeEQ)


def unknown_labels(query: ParsedQuery, reader: Reader) -> Iterator[Diagnostic]:
    """Yield a warning for each comparison of an enum column with a text that is not its label."""
    for node in reader.tree.root.find_all(*_COMPARISONS, exp.In):
        values = node.expressions if isinstance(node, exp.In) else [node.expression]
        sides = [(node.this, value) for value in values]
        if not isinstance(node, exp.In):
            sides.append((node.expression, node.this))
        for column, value in sides:
            yield from _unknown(query, unwrap(column), unwrap(value), reader)


def _unknown(
    query: ParsedQuery, column: exp.Expr, value: exp.Expr, reader: Reader
) -> Iterator[Diagnostic]:
    level = reader.level_of(column)
    found = level.resolve(column) if level is not None and isinstance(column, exp.Column) else None
    kind = found[2].type if found is not None else None
    if kind is None or kind.kind is not TypeKind.ENUM or not isinstance(value, exp.Literal):
        return
    if not value.is_string or not _is_no_label(str(value.this), kind.labels):
        return
    start = reader.tree.filled.to_original(int(column.this.meta["start"]))
    at = query.source_map.to_source(start)
    yield Diagnostic(
        "E316",
        f"{column.name} has no label '{value.this}', so no row has this value",
        (Label(query.file, Span(at, at + len(column.name)), f"of {', '.join(kind.labels)}"),),
        hint=did_you_mean(str(value.this), kind.labels),
        severity=Severity.WARNING,
    )


def _is_no_label(text: str, labels: tuple[str, ...]) -> bool:
    """Return whether a text differs from every label under any collation.

    Return False for '', the text of an invalid value, and for a number, which may be a label's
    index.
    """
    plain = text.isascii() and all(label.isascii() for label in labels)
    folded = text.strip().lower()
    return (
        plain
        and bool(folded)
        and not folded.replace(".", "").isdigit()
        and folded not in {label.strip().lower() for label in labels}
    )
