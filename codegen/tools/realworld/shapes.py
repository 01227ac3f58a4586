"""Compare the compiler's JSON document with sqlc's, query by query, and count the differences."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SPACE = re.compile(r"[\s\"`]+")
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_PLAIN = ("name", "cmd", "comments", "filename", "insert_into_table")
_NULLABILITY = {f"columns: not_null (sqlc says {said})" for said in ("nullable", "not null")}
# A server reports the types of columns and parameters. sqlc guesses them, or says `any`.
_TYPES = {
    *("columns: type", "columns: type (sqlc says any)", "columns: is_array", "columns: array_dims"),
    *("params: type", "params: type (sqlc says any)"),
}
_EXAMPLES = 12  # of a cause
# sqlc keeps the words of the schema, we say what the server calls the type: no difference.
_ALIASES = {
    **dict.fromkeys(("int", "integer", "serial", "serial4"), "int4"),
    **dict.fromkeys(("bigint", "bigserial", "serial8"), "int8"),
    **dict.fromkeys(("smallint", "smallserial", "serial2"), "int2"),
    **dict.fromkeys(("float", "double precision", "double"), "float8"),
    "boolean": "bool",
    "real": "float4",
    "decimal": "numeric",
    "character varying": "varchar",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "char": "bpchar",
    "character": "bpchar",
}


@dataclass
class Shapes:
    """The number of equal queries, and the differences in the other queries.

    `only` counts the queries with no other difference. Of the queries that differ in nullability,
    `proved` have fewer nullable columns than in sqlc. In the `shown`, a row had NULL although sqlc
    says NOT NULL; in the `unshown`, no row had. For the `typed`, the server also described another
    type than sqlc.
    """

    compared: int = 0
    equal: int = 0
    proved: int = 0
    typed: int = 0
    shown: int = 0
    unshown: list[str] = field(default_factory=list)
    causes: Counter[str] = field(default_factory=Counter)
    only: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def compare(
        self,
        sqlc: Mapping[str, Mapping[str, Any]],
        ours: Path,
        where: str,
        nulls: Mapping[str, list[int]],
    ) -> None:
        """Compare those queries that occur in both documents.

        `nulls` lists the columns that had NULL.
        """
        document = json.loads(ours.read_text("utf-8"))
        for query in document.get("queries", []):
            theirs = sqlc.get(query["name"])
            if theirs is None:
                continue
            self.compared += 1
            found = dict(differences(theirs, query))
            self.equal += not found
            self.causes.update(found.keys())
            if len(found) == 1:
                self.only.update(found.keys())
            if found and found.keys() <= _NULLABILITY | _TYPES:
                self._count_evidence(f"{where} {query['name']}", theirs, query, nulls)
            for cause, said in found.items():
                examples = self.examples.setdefault(cause, [])
                if len(examples) < _EXAMPLES:
                    examples.append(f"{where} {query['name']}: {said}")

    def _count_evidence(
        self,
        where: str,
        sqlc: Mapping[str, Any],
        ours: Mapping[str, Any],
        nulls: Mapping[str, list[int]],
    ) -> None:
        """Count a query that differs in nullability or types, by the evidence for our result."""
        pairs = enumerate(zip(sqlc["columns"], ours["columns"], strict=True))
        loose = {n for n, (one, other) in pairs if one["not_null"] and not other["not_null"]}
        if not loose <= set(nulls.get(ours["name"], ())):
            self.unshown.append(where)
        elif _TYPES & dict(differences(sqlc, ours)).keys():
            self.typed += 1
        elif loose:
            self.shown += 1
        else:
            self.proved += 1

    def print(self) -> str:
        """Return the counts as text, the most frequent cause first."""
        head = (
            f"{self.equal} of {self.compared} queries are wholly equal. Of the queries that differ"
            f" only in nullability and types, aiosqlc proves its result for {self.proved},"
            f" rows with NULL confirm it for {self.shown}, and the server confirms the types for"
            f" {self.typed}. There is no evidence for {len(self.unshown)}:"
            f" {', '.join(self.unshown)}"
        )
        lines = [head, " queries  only"]
        for cause, count in self.causes.most_common():
            lines.append(f"{count:8} {self.only[cause]:5}  {cause}")
            lines += [f"{'':18}{text[:230]}" for text in self.examples[cause][:3]]
        return "\n".join(lines)


def differences(sqlc: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each kind of difference between two documents of one query, with an example."""
    for name in _PLAIN:
        if (sqlc.get(name) or None) != (ours.get(name) or None):
            yield name, f"sqlc {sqlc.get(name)}, ours {ours.get(name)}"
    one, other = _plain(sqlc["text"]), _plain(ours["text"])
    if one != other:
        at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), -1)
        yield "text", f"sqlc …{one[max(at - 20, 0) : at + 50]}…, ours …{other[at : at + 50]}…"
    yield from _columns(sqlc.get("columns") or [], ours.get("columns") or [])
    yield from _params(sqlc.get("params") or [], ours.get("params") or [])


def _plain(text: str) -> str:
    return _SPACE.sub("", _COMMENT.sub("", text)).lower().rstrip(";")


def _columns(
    sqlc: list[Mapping[str, Any]], ours: list[Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    if len(sqlc) != len(ours):
        yield "columns: count", f"sqlc {len(sqlc)}, ours {len(ours)}"
        return
    for one, other in zip(sqlc, ours, strict=True):
        yield from _column("columns", one, other)


def _params(
    sqlc: list[Mapping[str, Any]], ours: list[Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    theirs, mine = [p["number"] for p in sqlc], [p["number"] for p in ours]
    if sorted(theirs) != sorted(mine):
        yield "params: numbers", f"sqlc {theirs}, ours {mine}"
        return
    if theirs != mine:
        yield "params: order", f"sqlc {theirs}, ours {mine}"
    by_number = {p["number"]: p["column"] for p in ours}
    for param in sqlc:
        yield from _column("params", param["column"], by_number[param["number"]])


def _column(
    kind: str, sqlc: Mapping[str, Any], ours: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    for name in sorted({*sqlc, *ours}):
        one, other = _named(sqlc.get(name)), _named(ours.get(name))
        if (one or None) == (other or None):
            continue
        cause = f"{kind}: {name}"
        if name == "type":
            one, other = _type(one), _type(other)
            if one == other:
                continue
            if one in {"any", "unknown"}:
                cause += " (sqlc says any)"
        elif name == "not_null":
            cause += " (sqlc says not null)" if one else " (sqlc says nullable)"
        elif name in {"table", "original_name", "table_alias"}:
            cause += " (only sqlc's)" if not other else " (only ours)" if not one else " (unequal)"
        yield cause, f"{sqlc.get('name')}: sqlc {_short(one)}, ours {_short(other)}"


def _named(value: object) -> object:
    """Return a relation without the default schema, which sqlc writes inconsistently."""
    if isinstance(value, dict) and value.get("schema") == "public":
        return {**value, "schema": ""}
    return value


def _type(value: Any) -> str:
    parts = [(value or {}).get(part) or "" for part in ("schema", "name")]
    name = ".".join(filter(None, parts)).lower().removeprefix("pg_catalog.").removeprefix("public.")
    return _ALIASES.get(name, name)


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ".".join(str(part) for part in value.values() if part)
    return repr(value)
