"""Queries about one premise each: those that chance alone would make too seldom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fuzz_mysql.world import COLUMNS

if TYPE_CHECKING:
    from tests.fuzz_mysql.grammar import Grammar

# Columns of numbers that are never NULL.
_FILLED = {"a": ("id", "grp"), "b": ("id", "aid"), "c": ("bid",), "e": ("id",)}
_LISTS = (
    "{e} / 2", "{e} % {n}", "{e} DIV {n}", "{e} <=> {e} < {e}", "({e} <=> {e}) = {e}",
    "{e} > ALL (SELECT {c} FROM {t})", "{e} = ANY (SELECT {c} FROM {t} WHERE {w})",
    "{m} > ALL (SELECT {o} FROM {t})", "{m} <> ALL (SELECT {o} FROM {t} WHERE {w})",
    "{m} = ANY (SELECT {o} FROM {t})",
    "{e} IN ({n}, {e})", "{e} NOT IN (SELECT {c} FROM {t})", "CAST({x} AS DATE)",
    "CAST({x} AS SIGNED)", "CAST({e} AS CHAR)", "CAST({x} AS CHAR)", "CONCAT({p}, {x})",
    "CAST({p} AS CHAR)", "UPPER({p})", "UPPER(IF(1, {x}, {p}))",
    "CASE WHEN {e} >= {n} THEN FIRST_VALUE({e}) OVER (ORDER BY {e}) ELSE {n} END",
)  # fmt: skip
_TESTS = (
    "CONCAT_WS('-', {x}, {x}) <> ''", "CONCAT({x}, {x}) <> ''", "COALESCE({e}, {n}) = {n}",
    "{e} > ALL (SELECT {c} FROM {t} WHERE {w})", "{e} <> ALL (SELECT {c} FROM {t})",
    "{e} NOT IN (SELECT {c} FROM {t} WHERE {w})", "NOT {e} IN (SELECT {o} FROM {t} WHERE {w})",
    "{e} IS UNKNOWN", "{e} IS NOT UNKNOWN", "{e} IS TRUE", "({e} > {n}) IS FALSE",
    "NULLIF({e}, {n}) IS NULL", "{e} IN ({n}, {e})", "FIELD({e}, {n}) = 0",
    "{x} <=> 'bad'", "{x} <=> {l}",
)  # fmt: skip
_ROWS = (
    "SELECT bid, v FROM c WHERE bid = {n}",
    "SELECT id, title FROM b WHERE aid = {n}",
    "SELECT id, title FROM b WHERE aid = {n} AND title = {x}",
    "SELECT k FROM d WHERE k = {n}",
    "SELECT k2 FROM d WHERE k2 = {l}",
    "SELECT a.id, b.id AS b FROM a LEFT JOIN b ON a.id = {n} AND b.id = {n}",
    "SELECT a.id, b.id AS b FROM b RIGHT JOIN a ON b.id = {n} WHERE a.id = {n}",
    "SELECT x, COUNT(*) AS n FROM b WHERE x = {n} GROUP BY x",
    "SELECT grp, COUNT(*) AS n, MAX(id) AS m FROM a WHERE grp = {n} GROUP BY grp",
    "SELECT aid, x, COUNT(*) AS n FROM b WHERE x = {n} GROUP BY aid, x",
    "SELECT id, COUNT(*) AS n FROM a WHERE id = {n} GROUP BY id WITH ROLLUP",
    "SELECT id, MAX(x) AS m FROM b WHERE id = {n} GROUP BY id, x WITH ROLLUP",
    "SELECT {n} AS x WHERE {n} > {n}",
    "SELECT {l} AS x HAVING {n} > {n}",
    "SELECT COUNT(*) AS n FROM {t} LIMIT 1 OFFSET {n}",
    "SELECT COUNT(*) AS n FROM {t} LIMIT {n}",
    "SELECT (SELECT COUNT(*) FROM b WHERE b.id = a.id) AS x, COUNT(*) AS n FROM a WHERE a.id = {n}",
    "SELECT EXISTS (SELECT 1 FROM b WHERE b.id = a.id) AS x, MAX(id) AS n FROM a WHERE a.id = {n}",
    "INSERT INTO v (id, x) VALUES ({k}, 1), (78, {n}) RETURNING id, x, n",
    "INSERT INTO v (id, x) VALUES ({k}, 1) RETURNING id, x, n",
    "INSERT IGNORE INTO v (id, x) VALUES ({k}, 1) RETURNING id, x",
    "REPLACE INTO v (id, x) VALUES ({k}, 1), (78, {n}) RETURNING id, n",
    "SELECT COALESCE(oip, IFNULL(s, {p})) AS x, IF({n}, u, IFNULL({p}, s)) AS y FROM e",
)


def directed(grammar: Grammar) -> str:
    """Return one such query."""
    random = grammar.random
    table = random.choice("abce")
    columns = COLUMNS[table]

    def of(kind: str, relation: str) -> str:
        return random.choice([c for c, sort in COLUMNS[relation].items() if sort == kind])

    def filled(form: str) -> str:
        out = form
        inner = random.choice("abc")
        while "{" in out:
            start = out.index("{")
            name = out[start + 1]
            value = {
                "e": lambda: of("int", table),
                "x": lambda: random.choice(
                    [c for c, sort in columns.items() if sort in {"text", "dec", "net"}]
                ),
                "t": lambda: inner,
                "c": lambda: of("int", inner),
                "m": lambda: random.choice(_FILLED[table]),
                "o": lambda: random.choice(_FILLED[inner]),
                "w": lambda: f"{of('int', inner)} > {random.randrange(4)}",
                "n": lambda: str(random.randrange(4)),
                "k": lambda: random.choice(["0", "1", "77"]),
                "l": lambda: random.choice(["'a'", "'1'", "1", "1.0"]),
                "p": lambda: grammar.parameter("text"),
            }[name]()
            out = out[:start] + value + out[start + 3 :]
        return out

    form = random.random()
    if form < 0.3:
        items = f"{filled(random.choice(_LISTS))} AS x, {filled(random.choice(_LISTS))} AS y"
        return f"SELECT {items} FROM {table}"
    if form < 0.55:
        shown = ", ".join(columns)
        return f"SELECT {shown} FROM {table} WHERE {filled(random.choice(_TESTS))}"
    table, columns = "b", COLUMNS["b"]
    return filled(random.choice(_ROWS))
