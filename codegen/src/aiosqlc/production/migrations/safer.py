"""Propose migrations with weaker locks for a statement with dangerous locks.

A proposal is not verified until it has been run; see `tried.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from aiosqlc.parse.scanner import Kind, Token, scan, unquote

_TIMEOUT: Final = "SET LOCAL lock_timeout = '2s'"
_PAGES: Final = 1000  # pages per batch, about 8 MB of a table


class Piece(Struct, frozen=True):
    """One migration of a proposal: its statements, and whether they run in one transaction."""

    statements: tuple[str, ...]
    in_block: bool = True


def _block(*statements: str) -> Piece:
    return Piece((_TIMEOUT, *statements))


def _alone(statement: str) -> Piece:
    return Piece((statement,), in_block=False)


def proposals(sql: str) -> Iterator[tuple[Piece, ...]]:
    """Yield the migrations that could replace a statement, the best proposal first."""
    text = _without_comments(sql)
    for propose in (_index, _reindex, _refresh, _drop_index, _table):
        pieces = propose(text)
        if pieces:
            yield tuple(pieces)
    yield (_block(text),)  # the locks of earlier statements are released
    yield (_alone(text),)


def _without_comments(sql: str) -> str:
    kept, at = [], 0
    for token in scan(sql):
        if token.kind is Kind.COMMENT:
            kept.append(sql[at : token.start])
            at = token.end
    return "".join([*kept, sql[at:]]).strip()


_INDEX = re.compile(r"(create\s+(?:unique\s+)?index)(\s+)(?!concurrently\b)", re.IGNORECASE)
_DROP_INDEX = re.compile(r"(drop\s+index)(\s+)(?!concurrently\b)", re.IGNORECASE)
_REINDEX = re.compile(
    r"(reindex\s+(?:\([^)]*\)\s*)?(?:index|table|schema))(\s+)(?!concurrently\b)", re.IGNORECASE
)
_REFRESH = re.compile(r"(refresh\s+materialized\s+view)(\s+)(?!concurrently\b)", re.IGNORECASE)


def _index(sql: str) -> Sequence[Piece]:
    return _concurrently(_INDEX, sql)


def _drop_index(sql: str) -> Sequence[Piece]:
    return _concurrently(_DROP_INDEX, sql)


def _reindex(sql: str) -> Sequence[Piece]:
    return _concurrently(_REINDEX, sql)


def _concurrently(head: re.Pattern[str], sql: str) -> Sequence[Piece]:
    found = head.match(sql)
    return [_alone(f"{found[1]} CONCURRENTLY {sql[found.end() :]}")] if found else []


def _refresh(sql: str) -> Sequence[Piece]:
    found = _REFRESH.match(sql)
    return [_block(f"{found[1]} CONCURRENTLY {sql[found.end() :]}")] if found else []


# --- ALTER TABLE ----------------------------------------------------------------------------------

_ALTER = re.compile(
    r"alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?(?P<table>(?:\"[^\"]+\"|[\w$.])+)\s+",
    re.IGNORECASE,
)


def _table(sql: str) -> Sequence[Piece]:
    """Split an ALTER TABLE. The first migration has the actions with weak locks."""
    head = _ALTER.match(sql)
    if head is None:
        return []
    light: list[str] = []
    heavy: list[Piece] = []
    for action in _actions(sql[head.end() :]):
        found = _action(head["table"], action)
        if found is None:
            light.append(f"ALTER TABLE {head['table']} {action}")
            continue
        light += found[0]
        heavy += found[1]
    if not heavy:
        return []
    return [*([_block(*light)] if light else []), *heavy]


Parts = tuple[list[str], list[Piece]]
"""The statements of a proposal that take weak locks and run first, and the later migrations."""


def _action(table: str, action: str) -> Parts | None:
    for pattern, propose in _ACTIONS:
        found = pattern.match(action)
        if found:
            parts = propose(table, found)
            if parts is not None:
                return parts
    return None


def _not_valid(table: str, found: re.Match[str]) -> Parts | None:
    """Propose to add a constraint for new rows, and to validate old rows under a weak lock."""
    if re.search(r"\bnot\s+valid\s*$", found["rest"], re.IGNORECASE):
        return None
    name = found["name"] or _key_name(table, found["rest"])
    add = f"ALTER TABLE {table} ADD CONSTRAINT {name} {found['rest']} NOT VALID"
    return [add], [_block(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")]


def _unique(table: str, found: re.Match[str]) -> Parts | None:
    """Propose to build a constraint's index concurrently, and to add the constraint with it."""
    columns = [name.strip() for name in found["columns"].split(",")]
    primary = found["kind"].lower().startswith("p")
    default = f"{_bare(table)}_pkey" if primary else _named(table, columns, "key")
    name = found["name"] or default
    nulls = f" {found['nulls']}" if found["nulls"] else ""
    build = f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({found['columns']}){nulls}"
    kind = "PRIMARY KEY" if primary else "UNIQUE"
    adopt = f"ALTER TABLE {table} ADD CONSTRAINT {name} {kind} USING INDEX {name}"
    light: list[str] = []
    heavy: list[Piece] = []
    for column in columns if primary else ():
        more = _not_null(table, column)
        light += more[0]
        heavy += more[1]
    return light, [*heavy, _alone(build), _block(adopt)]


def _set_not_null(table: str, found: re.Match[str]) -> Parts:
    return _not_null(table, found["column"])


def _not_null(table: str, column: str) -> Parts:
    """Propose to validate a CHECK that a column is not NULL; SET NOT NULL then reads no rows."""
    name = _quoted(f"{_bare(table)}_{_bare(column)}_not_null_yet")
    alter = f"ALTER TABLE {table}"
    return [f"{alter} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID"], [
        _block(f"{alter} VALIDATE CONSTRAINT {name}"),
        _block(f"{alter} ALTER COLUMN {column} SET NOT NULL", f"{alter} DROP CONSTRAINT {name}"),
    ]


_NOT_NULL = re.compile(r"\bnot\s+null\b", re.IGNORECASE)
_CLAUSE = r"(?=\s+(?:not\s+null|null|default|unique|references|check|constraint|primary)\b|$)"
_DEFAULT = re.compile(rf"\bdefault\s+(?P<value>.+?){_CLAUSE}", re.IGNORECASE | re.DOTALL)
_REFERENCES = re.compile(rf"\breferences\b.+?{_CLAUSE}", re.IGNORECASE | re.DOTALL)
_CHECK = re.compile(rf"\bcheck\s*\(.+?\){_CLAUSE}", re.IGNORECASE | re.DOTALL)
_IS_UNIQUE = re.compile(r"\bunique\b", re.IGNORECASE)


def _add_column(table: str, found: re.Match[str]) -> Parts | None:
    """Propose to add a nullable column, set its default, and fill existing rows in batches."""
    column, rest = found["column"], found["rest"]
    if re.search(r"\bgenerated\b|\bserial|primary\s+key", rest, re.IGNORECASE):
        return None
    default, refers, check = (p.search(rest) for p in (_DEFAULT, _REFERENCES, _CHECK))
    alter = f"ALTER TABLE {table}"
    plain = rest
    for part in (default, refers, check):
        plain = plain.replace(part[0], "") if part else plain
    plain = " ".join(_IS_UNIQUE.sub("", _NOT_NULL.sub("", plain)).split())
    light = [f"{alter} ADD COLUMN {column} {plain}"]
    heavy: list[Piece] = []
    if default:
        light.append(f"{alter} ALTER COLUMN {column} SET DEFAULT {default['value']}")
        heavy.append(Piece((_in_batches(table, column, default["value"]),), in_block=False))
    if check:
        name = _named(table, [column], "check")
        heavy.append(_block(f"{alter} ADD CONSTRAINT {name} {check[0].strip()} NOT VALID"))
        heavy.append(_block(f"{alter} VALIDATE CONSTRAINT {name}"))
    if refers:
        name = _named(table, [column], "fkey")
        fkey = f"{alter} ADD CONSTRAINT {name} FOREIGN KEY ({column}) {refers[0]} NOT VALID"
        heavy += [_block(fkey), _block(f"{alter} VALIDATE CONSTRAINT {name}")]
    without_check = rest.replace(check[0], "") if check else rest
    if _NOT_NULL.search(without_check):
        first, more = _not_null(table, column)
        heavy += [_block(*first), *more]
    if _IS_UNIQUE.search(rest):
        name = _named(table, [column], "key")
        heavy += [
            _alone(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({column})"),
            _block(f"{alter} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}"),
        ]
    return light, heavy


def _in_batches(table: str, column: str, value: str) -> str:
    """Return a DO block that fills a column page by page, commits and reports after each batch."""
    return f"""\
DO $$
DECLARE
    page bigint := 0;
    pages bigint := pg_relation_size('{table}') / current_setting('block_size')::bigint;
BEGIN
    WHILE page <= pages LOOP
        UPDATE {table} SET {column} = {value}
        WHERE {column} IS NULL
          AND ctid >= format('(%s,0)', page)::tid
          AND ctid < format('(%s,0)', page + {_PAGES})::tid;
        COMMIT;
        page := page + {_PAGES};
        RAISE NOTICE '{table}: % of % pages', least(page, pages), pages;
    END LOOP;
END $$"""  # noqa: S608 - the migration's own names


_NAME = r"(?:\"[^\"]+\"|[\w$]+)"
_IS = re.IGNORECASE | re.DOTALL
_CONSTRAINT = rf"add\s+(?:constraint\s+(?P<name>{_NAME})\s+)?"
_ACTIONS: Final[Sequence[tuple[re.Pattern[str], Callable[[str, re.Match[str]], Parts | None]]]] = (
    (re.compile(rf"{_CONSTRAINT}(?P<rest>(?:foreign\s+key|check)\b.*)", _IS), _not_valid),
    (
        re.compile(
            rf"{_CONSTRAINT}(?P<kind>unique|primary\s+key)"
            r"(?:\s+(?P<nulls>nulls\s+not\s+distinct))?\s*\((?P<columns>[^()]+)\)\s*$",
            _IS,
        ),
        _unique,
    ),
    (
        re.compile(rf"alter\s+(?:column\s+)?(?P<column>{_NAME})\s+set\s+not\s+null\s*$", _IS),
        _set_not_null,
    ),
    (
        re.compile(
            r"add\s+(?:column\s+)?(?:if\s+not\s+exists\s+)?(?!constraint\b|exclude\b)"
            rf"(?P<column>{_NAME})\s+(?P<rest>.+)",
            _IS,
        ),
        _add_column,
    ),
)


def _actions(text: str) -> Iterator[str]:
    """Yield the actions of an ALTER TABLE, which commas outside of brackets separate."""
    depth, start = 0, 0
    for token in scan(text):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
        if depth == 0 and token.text == ",":
            yield text[start : token.start].strip()
            start = token.end
    yield text[start:].strip()


def _bare(name: str) -> str:
    tokens: list[Token] = [token for token in scan(name) if token.kind in {Kind.NAME, Kind.QUOTED}]
    return unquote(tokens[-1]) if tokens else name


def _named(table: str, columns: Sequence[str], what: str) -> str:
    """Return the name that the server would choose for a constraint."""
    return _quoted("_".join([_bare(table), *(_bare(column) for column in columns), what]))


def _key_name(table: str, rest: str) -> str:
    inside = re.search(r"\(([^()]+)\)", rest)
    if rest[:1].lower() == "f" and inside:
        return _named(table, inside[1].split(","), "fkey")
    names = dict.fromkeys(t.text for t in scan(inside[1] if inside else "") if t.kind is Kind.NAME)
    return _named(table, list(names)[:1], "check")


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_$]*", name) else f'"{name}"'
