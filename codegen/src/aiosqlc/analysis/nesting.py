"""Report queries whose rows `sqlc.nest(t)` cannot group into lists."""

from __future__ import annotations

from collections.abc import Iterator

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import Command, Nesting, NotNested, TypedQuery


def nest_problems(query: TypedQuery) -> Iterator[Diagnostic]:
    """Yield an error if the rows of a query cannot be grouped into the lists of `sqlc.nest(t)`.

    Without a proved key, rows cannot be grouped. A `:stream` query may return incomplete lists.
    """
    parsed, nesting = query.parsed, query.nesting
    if isinstance(nesting, NotNested):
        name = query.embeds[nesting.embed].name
        embed = next(embed for embed in parsed.embeds if embed.nest and embed.name == name)
        yield Diagnostic(
            "E345",
            f"the rows of `{parsed.name}` cannot be grouped into the list `{name}`",
            (Label(parsed.file, embed.span, nesting.why),),
            nesting.hint,
        )
        return
    if not isinstance(nesting, Nesting) or parsed.command is not Command.STREAM:
        return
    if not nesting.adjacent:
        key = " and ".join(f"`{query.columns[at].name}`" for at in nesting.levels[0].key)
        first = next(embed for embed in parsed.embeds if embed.nest)
        yield Diagnostic(
            "E346",
            f"`{parsed.name}` may return other rows between the items of one list",
            (Label(parsed.file, first.span, "a list may be incomplete when it is returned"),),
            f"begin ORDER BY with {key}; only columns of the row that contains the list may come "
            "before",
        )
