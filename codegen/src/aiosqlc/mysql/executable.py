"""Find the comments `/*! … */` that a server runs, and blank out the text that it ignores."""

from __future__ import annotations

import re

from msgspec import Struct

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import ParsedQuery
from aiosqlc.parse.scanner import MARKS, Kind, Token, code_tokens, scan
from aiosqlc.source import Dialect, Span

_MARK = re.compile(r"/\*(?P<maria>M?)!(?P<version>\d*)")
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
# MariaDB ignores comments for MySQL versions from 5.7 on, which only MySQL runs.
_MYSQL_ALONE = range(50700, 100000)


class Kin(Struct, frozen=True):
    """A server's kind, and its version as `/*!` comments write it: 101119 is 10.11.19."""

    is_mariadb: bool
    version: int

    def runs(self, opening: str) -> bool:
        """Return whether the server runs a comment that begins with this text: `/*!50700`."""
        match = _MARK.match(opening)
        if match is None:
            return False
        version = int(match["version"] or 0)
        if not self.is_mariadb:
            return not match["maria"] and version <= self.version
        return version <= self.version and (bool(match["maria"]) or version not in _MYSQL_ALONE)


MYSQL = Kin(is_mariadb=False, version=90000)
MARIADB = Kin(is_mariadb=True, version=MYSQL.version + 100000)


def kin_of(version: str) -> Kin:
    """Parse a server's version: `10.11.19-MariaDB-0+deb12u1` or `8.4.3`."""
    match = _VERSION.search(version)
    major, minor, patch = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    return Kin("mariadb" in version.lower(), major * 10000 + minor * 100 + patch)


def as_read(sql: str, kin: Kin) -> str:
    """Return the statement as a server reads it, without changing any offset.

    The marks `/*!` and `*/` become blanks. A comment that the server does not run becomes blanks as
    a whole.
    """
    if "/*" not in sql:
        return sql
    blanks: list[Span] = []
    opening: Token | None = None
    for token in scan(sql, Dialect.MYSQL):
        if token.kind is Kind.OPENING:
            opening = token
        if token.kind not in MARKS or opening is None:
            continue
        if token.kind is Kind.CLOSING and not kin.runs(opening.text):
            while blanks and blanks[-1].start >= opening.start:
                blanks.pop()
            blanks.append(Span(opening.start, token.end))
        else:
            blanks.append(token.span)
    return _blanked(sql, blanks)


def _blanked(sql: str, spans: list[Span]) -> str:
    """Replace the given spans by spaces, but keep the line breaks in them."""
    out, at = [], 0
    for span in spans:
        gone = sql[span.start : span.end].split("\n")
        out += [sql[at : span.start], "\n".join(" " * len(line) for line in gone)]
        at = span.end
    return "".join([*out, sql[at:]])


def unclear(query: ParsedQuery, *, strict: bool) -> list[Diagnostic]:
    """Report that MySQL and MariaDB read a query as two different statements."""
    marks = [t for t in code_tokens(query.sql, Dialect.MYSQL) if t.kind is Kind.OPENING]
    mark = next((m for m in marks if MYSQL.runs(m.text) != MARIADB.runs(m.text)), None)
    if mark is None:
        return []
    start = query.source_map.to_source(mark.start)
    return [
        Diagnostic(
            code="E214",
            message=(
                f"the compiler reads {query.name} as MySQL does, but MariaDB reads this comment"
                f" differently: {mark.text}"
            ),
            labels=(
                Label(
                    query.file,
                    Span(start, start + len(mark.text)),
                    "only one of the servers executes this",
                ),
            ),
            hint="select the server: `server: mysql` or `server: mariadb`",
            severity=Severity.ERROR if strict else Severity.WARNING,
        )
    ]
