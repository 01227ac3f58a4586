"""Extract SQL statements from other projects' tests: sqllogictest files, Go sources, plain SQL."""

from __future__ import annotations

import ast
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
_SUFFIXES = frozenset({".slt", ".test", ".part", ".go", ".sql"})


def scripts(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield a name and the statements, in order, of each file below `root` that has some."""
    for path in sorted(root.rglob("*")):
        if path.suffix not in _SUFFIXES or not path.is_file():
            continue
        text = path.read_text("utf-8", "replace")
        found = list(statements(path.suffix, text))
        if found:
            yield "-".join(path.relative_to(root).with_suffix("").parts), found


def statements(suffix: str, text: str) -> Iterator[str]:
    """Yield the statements of a file, without their semicolons, by the suffix of its name."""
    if suffix == ".go":
        yield from _of_go(text)
    elif suffix == ".sql" or not _RECORD.search(text):
        yield text
    else:
        yield from _of_records(text)


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
