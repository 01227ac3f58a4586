"""Other projects' statements, in which a parameter replaces one literal at a time.

The statement must return the same with the parameter as with the literal. The parameter's value is
the literal's value in the claimed type. `python -m tests.inputs_mysql.literals ROOT` reads the
tests below a folder as `tests.foreign` does.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from random import Random

import pymysql
from aiosqlc.ir import SqlType
from aiosqlc.mysql.catalog import read_schema
from aiosqlc.parse.placeholders import for_driver
from aiosqlc.parse.scanner import Kind, scan, split_statements
from aiosqlc.source import Dialect
from msgspec.structs import replace

from tests.foreign.extract import scripts
from tests.inputs_mysql.oracle import Tally, Verdict
from tests.inputs_mysql.positions import Position
from tests.inputs_mysql.server import Asked, Outcome
from tests.inputs_mysql.values import sort_of

_DATABASE = "aiosqlc_literals"
_MOST = 4  # literals of a statement
_LONGEST = 3_000
_WORD = "zz"  # a text that is not a number
# The server's own tables, without which it describes nothing.
_OWN = re.compile(
    r"\b(?:database|schema|use)\s+(?:if\s+exists\s+)?mysql\b|\bmysql\s*\.", re.IGNORECASE
)
# Behind it no table could be made, and no rows to judge by.
_READS_ONLY = re.compile(r"\bread\s+only\b|\b(?:tx|transaction)_read_only\b", re.IGNORECASE)
_LEFT_OUT = ("sleep", "get_lock", "rand", "now(", "uuid", "benchmark", "@", "load_file")


def judge(asked: Asked, statements: list[str], seed: int = 1) -> Iterator[Verdict]:
    """Run the statements in order in a new database; check some literals of each SELECT."""
    random = Random(seed)
    _begin(asked)
    stale = True
    for sql in statements:
        if _OWN.search(sql) or _READS_ONLY.search(sql):
            continue
        if not sql.lower().lstrip("(").startswith(("select", "with")):
            stale = stale or sql.lower().startswith(("create", "alter", "drop", "rename"))
            with suppress(pymysql.MySQLError, ValueError):
                asked.session.run(sql)
            continue
        if len(sql) > _LONGEST or "?" in sql or any(word in sql.lower() for word in _LEFT_OUT):
            continue
        if stale:
            known = read_schema(asked.session, _DATABASE)
            asked.compiler = replace(asked.compiler, schema=known, database=_DATABASE)
            stale = False
        text = sql.strip().rstrip(";")
        expected = asked.outcome(text)
        found = list(_literals(text))
        if expected.error:
            continue
        for start, end in random.sample(found, min(_MOST, len(found))):
            yield _verdict(asked, text, start, end, expected)


def _begin(asked: Asked) -> None:
    for statement in (
        f"DROP DATABASE IF EXISTS {_DATABASE}",
        f"CREATE DATABASE {_DATABASE} CHARACTER SET utf8mb4",
        f"USE {_DATABASE}",
    ):
        asked.session.run(statement)
    asked.session.restore()


def _literals(sql: str) -> Iterator[tuple[int, int]]:
    tokens = [t for t in scan(sql, Dialect.MYSQL) if t.kind is not Kind.COMMENT]
    for before, token, after in zip(tokens, tokens[1:], [*tokens[2:], tokens[-1]], strict=False):
        written = token.kind is Kind.NUMBER or (
            token.kind is Kind.STRING and token.text[:1] in "'\""
        )
        joined = token.kind is Kind.STRING and Kind.STRING in {before.kind, after.kind}
        plain = written and "\\" not in token.text
        if plain and not joined and before.text.upper() not in {"AS", ".", ":", "@", "INTERVAL"}:
            yield token.start, token.end


def _verdict(asked: Asked, sql: str, start: int, end: int, expected: Outcome) -> Verdict:
    text = f"{sql[:start]}?{sql[end:]}"
    position = Position(sql[start:end], text)
    query, errors = asked.typed(text)
    codes = {error.code for error in errors}
    if query is None or not query.params:
        said = "untyped" if "E313" in codes else "refused"
        return Verdict(position, said, *sorted(codes)[:1])
    kind = query.params[0].type
    value = _value(sql[start:end], kind)
    if value is None:  # how a text is read as another type is not the question
        return Verdict(position, "unjudged", kind.name)
    if isinstance(value, date | timedelta):
        expected = asked.outcome(f"{sql[:start]}{_written(value)}{sql[end:]}")
    written, _ = for_driver(query.sql)
    came = asked.outcome(written, [value])
    same = sorted(map(repr, came.rows)) == sorted(map(repr, expected.rows))
    if came.answers_as(expected) or (same and came.is_clean == expected.is_clean):
        return Verdict(position, "right", kind.name)
    if _is_compared_as_text(asked, sql, start, end, expected, came):
        return Verdict(position, "right", kind.name)
    why = f"unlike its literal {sql[start:end]}: {came.error} {came.warned} {came.rows[:2]}"
    return Verdict(position, "false", kind.name, f"{why}, not {expected.rows[:2]}")


def _is_compared_as_text(
    asked: Asked, sql: str, start: int, end: int, expected: Outcome, came: Outcome
) -> bool:
    """Return whether a number is in the place of a text: `FORMAT(d, 2) >= 0`.

    Beside such a literal, the server reads the text as a number. As a text, the literal gives the
    same result as the parameter, with the same types as the number, and any other text is accepted
    too.
    """
    if sql[start] in "'\"" or came.codes != expected.codes:
        return False
    quoted = asked.outcome(f"{sql[:start]}'{sql[start:end]}'{sql[end:]}")
    other = asked.outcome(f"{sql[:start]}'{_WORD}'{sql[end:]}")
    return came.is_clean and came.answers_as(quoted) and other.is_clean


def _value(literal: str, kind: SqlType) -> object | None:
    """Return a literal as a value of a type, or None if that is impossible."""
    is_text = literal[0] in "'\""
    plain = literal[1:-1].replace(literal[0] * 2, literal[0]).replace("\\\\", "\\")
    text = plain if is_text else literal
    try:
        return _made(text, kind)
    except (ValueError, InvalidOperation):
        return None


def _written(value: date | timedelta) -> str:
    """Write a time as a literal of its own type."""
    if isinstance(value, datetime):
        return f"TIMESTAMP'{value}'"
    return f"TIME'{value}'" if isinstance(value, timedelta) else f"DATE'{value}'"


def _made(text: str, kind: SqlType) -> object | None:
    sort = sort_of(kind)
    if sort in {"integer", "year", "bit", "bool"}:
        return int(text) if "." not in text else None  # how it is rounded is another question
    if sort in {"decimal", "double"}:
        return Decimal(text) if sort == "decimal" else float(text)
    if sort == "date":
        return date.fromisoformat(text)
    if sort == "datetime":
        return datetime.fromisoformat(text)
    if sort == "time":
        hours, minutes, seconds = (float(part) for part in text.split(":"))
        return timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if sort in {"bytes", "geometry"}:
        return text.encode()
    return text


def _split(text: str) -> Iterator[str]:
    """Yield the statements of a text, which may be a whole file."""
    for span in split_statements(text, Dialect.MYSQL):
        yield text[span.start : span.end]


def main() -> int:
    """Check every file below a folder; print the false claims."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--cache", type=Path, help="where the private server keeps its data")
    arguments = parser.parse_args()
    total = Tally()
    with closing(Asked(arguments.cache)) as asked:
        for name, statements in scripts(arguments.root):
            single = [piece for text in statements for piece in _split(text)]
            part = Tally(list(judge(asked, single)))
            total.verdicts += part.verdicts
            for verdict in part.of("false"):
                print(f"{name}: {verdict}", flush=True)
    print(total)
    return 1 if total.of("false") else 0


if __name__ == "__main__":
    sys.exit(main())
