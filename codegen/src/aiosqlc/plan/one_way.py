"""Find overrides that lack the `encode` or `decode` function that a query needs."""

from __future__ import annotations

from collections.abc import Iterable

from aiosqlc.config.project import Override
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import TypedParam, TypedQuery

# Types that a driver probably accepts for other types, such as a float for a numeric.
_PLAIN = frozenset({"str", "int", "float", "bool", "bytes", "Any", "object", "None"})


def not_encoded(
    query: TypedQuery, param: TypedParam, overrides: Iterable[Override]
) -> list[Diagnostic]:
    """Return an error for each override of a parameter that has `decode`, but no `encode`."""
    written = next((item for item in query.parsed.params if item.number == param.number), None)
    span = written.spans[0] if written and written.spans else query.parsed.name_span
    return [
        Diagnostic(
            "E341",
            f"the override of `{_target(item)}` has `decode`, but no `encode`",
            (Label(query.parsed.file, span, f"a parameter of type `{item.python_type}`"),),
            f"add `encode: …`, the function that converts `{item.python_type}` to the stored value",
            costs=(query.parsed.place,),
        )
        for item in overrides
        if item.decode and not item.encode and not _is_plain(item)
    ]


def not_decoded(query: TypedQuery, overrides: Iterable[Override]) -> list[Diagnostic]:
    """Return an error for each override of a result that has `encode`, but no `decode`."""
    return [
        Diagnostic(
            "E341",
            f"the override of `{_target(item)}` has `encode`, but no `decode`",
            (
                Label(
                    query.parsed.file,
                    query.parsed.name_span,
                    "the result of this query needs `decode`",
                ),
            ),
            f"add `decode: …`, the function that returns `{item.python_type}` for a stored value",
            costs=(query.parsed.place,),
        )
        for item in overrides
        if item.encode and not item.decode and not _is_plain(item)
    ]


def _is_plain(override: Override) -> bool:
    return override.python_type.rpartition(".")[2] in _PLAIN


def _target(override: Override) -> str:
    return override.query or override.column or override.db_type
