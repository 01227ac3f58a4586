"""Extract SQL statements from other projects' tests.

They are sqllogictest files, Go sources, plain SQL, and tables of questions with their queries.
"""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterator
from pathlib import Path

# sqllogictest: `statement ok` or `query III rowsort label`, then SQL up to an empty line or `----`.
_RECORD = re.compile(r"(?:statement|query)\b")
# Records that are not one statement: loops, includes, and records that must fail.
_FAILS = re.compile(r"statement\s+(?:error|maybe)\b")
_VARIABLE = re.compile(r"\$\{?\w+\}?|<\w+>|\{\w+\}")
_GO_TEXT = re.compile(r'`([^`]*)`|"((?:[^"\\\n]|\\.)*)"')
_SQL = re.compile(
    r"\s*(?:/\*.*?\*/\s*)*\(*(?:select|with|values|table|insert|update|delete|replace|merge|create"
    r"|alter|drop|truncate|set)\s+\S",
    re.IGNORECASE | re.DOTALL,
)
# Dumps of plans and keys of maps look like statements, but are too long or too short to be some.
_LONGEST = 20_000
_SUFFIXES = frozenset({".slt", ".test", ".part", ".go", ".sql", ".csv"})
# In a table of questions, columns that a right answer may leave out: `SELECT {a.name, a.id}`.
_OPTIONAL = re.compile(r"\{([^{}]*)\}")


def scripts(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the statements, in order, of each file with statements below `root`."""
    for path in sorted(root.rglob("*")):
        if path.suffix not in _SUFFIXES or not path.is_file():
            continue
        text = path.read_text("utf-8", "replace")
        name = "-".join(path.relative_to(root).with_suffix("").parts)
        if path.suffix == ".csv":
            yield from ((f"{name}-{database}", sql) for database, sql in _of_questions(text))
            continue
        found = list(statements(path.suffix, text))
        if found:
            yield name, found


def statements(suffix: str, text: str) -> Iterator[str]:
    """Yield the statements of a file, without their semicolons, by the suffix of its name."""
    if suffix == ".go":
        yield from _of_go(text)
    elif suffix == ".sql" or not _RECORD.search(text):
        yield text
    else:
        yield from _of_records(text)


def _of_questions(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each database of a table with the columns `db_name` and `query`, and its queries."""
    found: dict[str, list[str]] = {}
    for row in csv.DictReader(text.splitlines(keepends=True)):
        whole = _OPTIONAL.sub(lambda match: match[1].strip() or "1", row.get("query") or "")
        queries = [sql.strip() for sql in whole.split(";") if sql.strip()]
        found.setdefault(row.get("db_name") or "", []).extend(queries)
    yield from ((database, queries) for database, queries in found.items() if database)


def _of_go(text: str) -> Iterator[str]:
    for match in _GO_TEXT.finditer(text):
        raw, quoted = match.groups()
        sql = raw if raw is not None else _unquoted(quoted)
        if sql is not None and len(sql) < _LONGEST and _SQL.match(sql) and "%s" not in sql:
            yield sql.strip().rstrip(";")


def _unquoted(text: str) -> str | None:
    try:
        value = ast.literal_eval(f'"{text}"')  # Go's escapes that SQL uses are Python's
    except (SyntaxError, ValueError):
        return None
    return str(value)


def _of_records(text: str) -> Iterator[str]:
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n")):
        lines = [line for line in block.split("\n") if not line.startswith("#")]
        while lines and not _RECORD.match(lines[0]):
            lines.pop(0)
        if not lines or _FAILS.match(lines[0]):
            continue
        sql = "\n".join(lines[1:]).split("\n----", 1)[0].strip().rstrip(";")
        if sql and not _VARIABLE.search(sql):
            yield sql
