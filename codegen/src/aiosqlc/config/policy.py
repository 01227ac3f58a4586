"""The section `mcp` of the configuration: the queries that an assistant may call."""

from __future__ import annotations

from typing import Final

import yaml
from msgspec import Struct

from aiosqlc.config.reader import Reader
from aiosqlc.source import Span

_KEYS: Final = (
    "queries", "writes", "bind", "unbound", "mask", "forbid", "reviewed", "database", "entry",
    "wide_role", "max_rows", "max_bytes", "max_argument", "timeout", "calls_per_minute",
)  # fmt: skip
# The minimum, the maximum and the default of each limit.
_LIMITS: Final = {
    "max_rows": (1, 10_000, 100),
    "max_bytes": (1_000, 10_000_000, 100_000),
    "max_argument": (1, 1_000_000, 10_000),
    "timeout": (1, 300, 5),
    "calls_per_minute": (1, 100_000, 120),
}


class McpPolicy(Struct, frozen=True):
    """The section `mcp`: which queries are tools, and their limits.

    `queries` are patterns such as `Get*` for the queries that may be offered. `writes` are the
    names of the queries that may write. `bind` maps a parameter to the environment variable with
    its value, so that an assistant cannot pass it. `unbound` names queries that may be offered
    without a bound parameter. `mask` lists columns (`table.column`) whose values are hidden in
    results. `forbid` lists columns that no offered query may read. `reviewed` lists the views and
    functions that a person has checked against `mask` and `forbid`. `database` is the URI of the
    database as written, including `${NAME}`. `entry` is the name of the entry of `sql` if there are
    several. If `wide_role` is true, the database role may have more privileges than the tools need.
    `max_bytes` limits the size of a result, and `max_argument` limits the characters of all
    arguments of a call. `timeout` is in seconds.
    """

    span: Span
    queries: tuple[str, ...]
    writes: tuple[str, ...] = ()
    bind: tuple[tuple[str, str], ...] = ()
    unbound: tuple[str, ...] = ()
    mask: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    reviewed: tuple[str, ...] = ()
    database: str = ""
    entry: str = ""
    wide_role: bool = False
    max_rows: int = 100
    max_bytes: int = 100_000
    max_argument: int = 10_000
    timeout: int = 5
    calls_per_minute: int = 120


def read_policy(reader: Reader, node: yaml.Node) -> McpPolicy | None:
    """Read the section `mcp`; if it has problems, record them in `reader` and return None."""
    before = len(reader.problems)
    found = reader.mapping(node, _KEYS, "mcp")
    if "queries" not in found:
        hint = "list query names, or patterns such as `Get*`: only these queries become tools"
        reader.lacks(node, "`mcp` needs `queries`", "`queries` is missing", hint)
        return None
    columns = {key: _columns(reader, found.get(key), key) for key in ("mask", "forbid")}
    bound = reader.mapping(found.get("bind"), (), "bind")
    limits = {key: _limit(reader, found.get(key), key) for key in _LIMITS}
    if len(reader.problems) > before:
        return None
    return McpPolicy(
        span=reader.span(node),
        queries=tuple(reader.strings(found["queries"], "queries")),
        writes=tuple(reader.strings(found.get("writes"), "writes")),
        bind=tuple((name, reader.string(value, name) or "") for name, value in bound.items()),
        unbound=tuple(reader.strings(found.get("unbound"), "unbound")),
        mask=columns["mask"],
        forbid=columns["forbid"],
        reviewed=tuple(reader.strings(found.get("reviewed"), "reviewed")),
        database=reader.string(found.get("database"), "database") or "",
        entry=reader.string(found.get("entry"), "entry") or "",
        wide_role=reader.flag(found.get("wide_role"), "wide_role"),
        **limits,
    )


def _columns(reader: Reader, node: yaml.Node | None, where: str) -> tuple[str, ...]:
    """Read column names in the form `table.column`; the names may contain blanks."""
    found = reader.strings(node, where)
    for name in found:
        if node is not None and "." not in name[1:-1]:
            reader.error(node, f"`{name}` names no column", hint="such as `users.email`")
    return tuple(found)


def _limit(reader: Reader, node: yaml.Node | None, name: str) -> int:
    """Read an integer, and report an integer that is outside the allowed range."""
    least, most, usual = _LIMITS[name]
    text = reader.string(node, name)
    if node is None or text is None:
        return usual
    if text.isascii() and text.isdigit() and least <= int(text) <= most:
        return int(text)
    reader.error(node, f"`{name}` must be a whole number from {least} to {most}", "not one")
    return usual
