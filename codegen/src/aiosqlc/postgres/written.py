"""Produce the SQL that generated code sends, and prove that it is the same query as the user's.

A text with a list of columns in place of `*` is analysed again. It is used only if the server's
parse tree equals that of the user's text, apart from source positions. Finally, the server plans
every text, which shows statements that always fail.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import TypedQuery
from aiosqlc.postgres.describe import ColumnHead, Described, describe
from aiosqlc.postgres.infer.stars import Star, expand
from aiosqlc.postgres.tree import without_places
from aiosqlc.servers.postgres.connection import Connection, ServerError, server_error
from aiosqlc.source import Span

# Errors of the planner and of the executor's start that do not depend on data and settings. Other
# errors come from functions called during planning and may depend on the session.
_NEVER = frozenset({
    "0A000",  # FULL JOIN, FOR UPDATE or GROUP BY with unsupported operands
    "42P10",  # ON CONFLICT without a matching index
    "42809",  # a materialized view cannot be changed
})  # fmt: skip
_LONGEST_PLAN = "3s"
_AT_ONCE = 50  # queries that are planned in one round trip
_HINTS = {
    "42P10": "list the columns of a unique index, or write ON CONFLICT DO NOTHING without columns",
}


class Fingerprint(Struct, frozen=True):
    """A query's identity: a hash of its parse tree, and its result columns and parameters.

    Two SQL texts with equal fingerprints are the same query.
    """

    tree: bytes
    columns: tuple[ColumnHead, ...] | None
    params: tuple[int, ...]

    @classmethod
    def of(cls, described: Described) -> Fingerprint:
        """Return the fingerprint of an SQL text, from the server's description of it."""
        tree = without_places(described.tree).encode(errors="surrogateescape")
        return cls(blake2b(tree, digest_size=16).digest(), described.columns, described.param_oids)


class Starred(Struct, frozen=True):
    """An SQL text that contains `*`: its query, and the columns that may replace each `*`.

    `query` is the index of the query. `text` is 0 for the query's own text, and n for the variant
    with the index n - 1.
    """

    query: int
    text: int
    sql: str
    stars: tuple[Star, ...]
    fingerprint: Fingerprint


def write_stars(
    connection: Connection, queries: Sequence[TypedQuery], starred: Sequence[Starred]
) -> tuple[list[TypedQuery], list[Diagnostic]]:
    """Replace each `*` by columns if the query is proved to stay the same; return the warnings too.

    Each `*` that remains is reported, because a column that is added later changes the result.
    """
    written = list(queries)
    kept: dict[Diagnostic, None] = {}
    for item, (sql, left) in zip(starred, _proved(connection, starred), strict=True):
        query = written[item.query]
        growing = [star for star in item.stars if star.unknown or (star in left and not star.fixed)]
        kept |= dict.fromkeys(_kept(query, item, star) for star in growing)
        if item.text == 0:
            written[item.query] = replace(query, sql=sql)
        else:
            variants = list(query.variants)
            variants[item.text - 1] = replace(variants[item.text - 1], sql=sql)
            written[item.query] = replace(query, variants=tuple(variants))
    return written, list(kept)


def _kept(query: TypedQuery, item: Starred, star: Star) -> Diagnostic:
    parsed = query.parsed
    source_map = parsed.variants[item.text - 1].source_map if item.text else parsed.source_map
    start, end = source_map.to_source(star.start), source_map.to_source(star.end - 1) + 1
    why, hint = _why_kept(item.sql[star.start : star.end], star)
    return Diagnostic(
        "E373",
        f"the `*` in `{parsed.name}` is not expanded: {why}",
        (
            Label(
                parsed.file,
                Span(start, max(end, start + 1)),
                "the function will also return columns that are added later",
            ),
        ),
        hint,
        Severity.WARNING,
    )


def _why_kept(written: str, star: Star) -> tuple[str, str]:
    if not star.unknown:
        why = "several columns have the same name"
        return why, "rename the columns, or list them instead of `*`"
    if ")" in written:
        return f"`{written}` expands a composite value", "list its fields: `(place).street, …`"
    why = f"the server does not report the columns of `{written}`, as for RETURNING of a view"
    return why, "list the columns"


def _proved(
    connection: Connection, starred: Sequence[Starred]
) -> list[tuple[str, tuple[Star, ...]]]:
    """Return each text with its proved replacements of `*`, and each `*` that remains."""
    full = [expand(item.sql, item.stars) for item in starred]
    left: dict[int, tuple[Star, ...]] = {}
    for index in _unequal(connection, starred, full):
        item = starred[index]
        single = [expand(item.sql, [star]) for star in item.stars]
        wrong = set(_unequal(connection, [item] * len(single), single))
        good = [star for at, star in enumerate(item.stars) if at not in wrong]
        full[index] = expand(item.sql, good)
        left[index] = tuple(star for star in item.stars if star not in good)
        if _unequal(connection, [item], full[index : index + 1]):
            full[index], left[index] = item.sql, item.stars
    return [(sql, left.get(index, ())) for index, sql in enumerate(full)]


def _unequal(
    connection: Connection, originals: Sequence[Starred], texts: Sequence[str]
) -> list[int]:
    """Return the indexes of the texts whose parse trees differ from those of the originals."""
    return [
        index
        for index, (item, answer) in enumerate(
            zip(originals, describe(connection, texts), strict=True)
        )
        if not isinstance(answer, Described) or Fingerprint.of(answer) != item.fingerprint
    ]


def impossible(connection: Connection, queries: Sequence[TypedQuery]) -> Iterator[Diagnostic]:
    """Yield an error for each generated text that the server accepts but can never execute.

    Each text is planned for any parameters, without running it. Many texts are sent together. If
    the server refuses one of them, each text is sent separately.
    """
    connection.run("set debug_print_rewritten = off")
    connection.run("set default_transaction_read_only = on")
    # Planning calls immutable functions. A text whose plan takes longer is treated as possible.
    connection.run(f"set statement_timeout = '{_LONGEST_PLAN}'")
    try:
        for start in range(0, len(queries), _AT_ONCE):
            some = queries[start : start + _AT_ONCE]
            if connection.run(";\n".join(_explain(t) for q in some for t in _texts(q))) is None:
                continue
            for query in some:
                errors = (_refusal(connection, text) for text in _texts(query))
                error = next((error for error in errors if error is not None), None)
                if error is not None:
                    yield never(query, error.message, error.hint or _HINTS.get(error.state, ""))
    finally:
        connection.run("reset statement_timeout")
        connection.run("reset default_transaction_read_only")
        connection.run("set debug_print_rewritten = on")


def never(query: TypedQuery, message: str, hint: str, does: str = "succeed") -> Diagnostic:
    """Return the problem of a statement that can never succeed, or can never insert a row.

    In the second case the problem is only a warning, because the statement succeeds as long as it
    has no row to insert.
    """
    parsed = query.parsed
    when = f"this query fails on every {'call' if does == 'succeed' else does}"
    label = Label(parsed.file, parsed.name_span, when)
    severity = Severity.ERROR if does == "succeed" else Severity.WARNING
    message = f"`{parsed.name}` can never {does}: {message}"
    return Diagnostic("E371", message, (label,), hint, severity)


def _texts(query: TypedQuery) -> dict[str, None]:
    return dict.fromkeys([query.sql, *(variant.sql for variant in query.variants)])


def _explain(sql: str) -> str:
    return f"explain (generic_plan, costs off) {sql}\n"  # the last line may be a comment


def _refusal(connection: Connection, sql: str) -> ServerError | None:
    result = connection.execute(_explain(sql))
    if not result.error_message:
        return None
    error = server_error(result)
    return error if error.state in _NEVER and not error.context else None
