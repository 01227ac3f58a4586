"""Run each proposal instead of the dangerous statement, and recommend only safer proposals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from aiosqlc.analysis.watched.modes import Lock
from aiosqlc.analysis.watched.observed import Observed, Pending
from aiosqlc.engines.watch import Watched
from aiosqlc.production.migrations import safer, safer_mysql
from aiosqlc.production.migrations.findings import danger
from aiosqlc.production.migrations.safer import Piece
from aiosqlc.schema import schema_file
from aiosqlc.source import Dialect, SourceFile


class Proved(Struct, frozen=True):
    """A proposal that led to the same schema as the statement, and took no dangerous lock.

    `strongest` is the strongest lock that a query would have waited for, or None. `brief` is true
    if the proposal locks a table exclusively for a short time.
    """

    pieces: tuple[Piece, ...]
    strongest: Lock | None
    brief: bool = False


_PROPOSALS = {
    Dialect.POSTGRESQL: safer.proposals,
    Dialect.MYSQL: safer_mysql.proposals,
}


def better(watched: Watched, statement: Observed, dialect: Dialect) -> Proved | None:
    """Return the first proposal that takes no dangerous lock when it is run, or None."""
    for pieces in _PROPOSALS[dialect](statement.sql):
        seen, same = watched.instead(statement, tuple(_files(pieces, dialect)))
        if same and not any(danger(one) or one.refused_in_block for one in seen):
            modes = [held.mode for one in seen for held in one.stopping]
            brief = any(one.brief for one in seen)
            return Proved(pieces, max(modes, default=None), brief)
    return None


def _files(pieces: Sequence[Piece], dialect: Dialect) -> Iterator[Pending]:
    for number, piece in enumerate(pieces, 1):
        text = "".join(f"{statement};\n" for statement in piece.statements)
        file = schema_file(SourceFile(Path(f"proposal_{number}.sql"), text), dialect)
        yield Pending(file, None, piece.in_block)


def shown(proved: Proved) -> str:
    """Return a proposal as text, with a comment before each migration."""
    parts = []
    for number, piece in enumerate(proved.pieces, 1):
        how = "in a transaction" if piece.in_block else "without a transaction"
        parts.append(f"-- migration {number}, {how}")
        parts += [f"{statement};" for statement in piece.statements]
    return "\n".join(parts)


def outcome(proved: Proved) -> str:
    """Return a sentence about the locks that a proposal took when it was run."""
    if proved.brief:
        return "tested: same resulting schema; the table is locked only for a moment"
    if proved.strongest is None:
        return "tested: same resulting schema, without a lock that blocks queries"
    return (
        f"tested: same resulting schema; the strongest lock, {proved.strongest.written}, is only "
        "held"
        " while the catalog changes"
    )
