"""Compare a statement's parameters and result with its generated function, for both engines.

A function has one signature and one row class, but a dynamic query (with optional parts) has many
SQL texts. Rows are decoded by position. So every text must return the same columns, and accept the
same kind of value for each parameter.
"""

from __future__ import annotations

from msgspec import Struct

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import ParsedQuery, Variant

# Types that Python and the drivers do not distinguish.
_ALIKE = {
    "int2": "integer",
    "int4": "integer",
    "int8": "integer",
    "text": "text",
    "varchar": "text",
    "bpchar": "text",
    "name": "text",
    "float4": "float",
    "float8": "float",
}


class Shape(Struct, frozen=True):
    """The server's description of a statement: column names and types, and parameter types."""

    columns: tuple[tuple[str, str], ...]
    params: tuple[str, ...]


NO_SHAPE = Shape((), ())


def difference(promised: Shape, found: Shape, numbers: tuple[int, ...] | None = None) -> str:
    """Return how a statement differs from its generated function, or '' if it does not.

    Parameter `$n` of the statement is the function's parameter `numbers[n - 1]`. If `numbers` is
    None, the statement and the function number their parameters in the same way.
    """
    mine, theirs = promised.columns, found.columns
    if len(mine) != len(theirs):
        has = _counted(len(mine))
        return f"the query returns {_counted(len(theirs))}, but its row class has {has}"
    for number, ((name, kind), (other, given)) in enumerate(zip(mine, theirs, strict=True), 1):
        if name != other:
            return f"column {number} has the name `{other}`, but the row class has `{name}`"
        if alike(kind) != alike(given):
            return f"column `{name}` has the type {given}, but the row class has {kind}"
    own = tuple(range(1, len(promised.params) + 1)) if numbers is None else numbers
    if len(own) != len(found.params):
        return f"the query has {len(found.params)} parameters, but its function passes {len(own)}"
    for at, number in enumerate(own):
        kind, given = promised.params[number - 1], found.params[at]
        if alike(kind) != alike(given):
            return f"parameter ${number} has the type {given}, but the function passes {kind}"
    return ""


def mismatch(query: ParsedQuery, variant: Variant | None, said: str) -> Diagnostic:
    """Return the error for a statement that differs from its generated function."""
    subject = f"`{query.name}`" if variant is None else f"`{query.name}`, {_parts(query, variant)}"
    dynamic = variant is not None
    return Diagnostic(
        "E370",
        f"{subject}: {query.with_names(said)}",
        (Label(query.file, query.dynamic[0].span if dynamic else query.name_span),),
        "an optional part must not change the result columns; if the type of a parameter "
        "differs, cast the parameter"
        if dynamic
        else "this is an error in aiosqlc: please report it",
    )


def _parts(query: ParsedQuery, variant: Variant) -> str:
    """Return the name of a variant of a dynamic query, such as `without :if state`."""
    said = []
    for part, choice in zip(query.dynamic, variant.key, strict=True):
        if part.kind == "sort":
            said.append(f"sorted by {part.choices[choice]}")
        elif not choice:
            said.append(f"without :{part.kind} {part.name}")
    return ", ".join(said) or "with every part"


def alike(kind: str) -> str:
    """Return a name for the type `kind`; types that drivers treat alike have the same name."""
    base = kind.rstrip("[]")
    return _ALIKE.get(base, base) + kind[len(base) :]


def _counted(count: int) -> str:
    return "one column" if count == 1 else f"{count} columns"
