"""Queries about one precondition each, which random choice would produce too rarely."""

from __future__ import annotations

from functools import partial
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
    *(f"{name}({{m}}) OVER (ORDER BY {{e}} {{f}})"
      for name in ("SUM", "MIN", "MAX", "AVG", "STD", "FIRST_VALUE", "LAST_VALUE")),
    "SUM({m}) OVER (PARTITION BY {e} ORDER BY {m} {f})", "MAX({e}) OVER (ORDER BY {m} {f})",
    "CASE WHEN {n} = {n} THEN {e} END", "COALESCE(CASE WHEN {n} <= {n} THEN {m} END)",
    "CASE WHEN {e} THEN {m} WHEN {n} THEN {n} END", "CASE WHEN TRUE THEN {m} END",
    "CASE WHEN {n} = {e} THEN {m} END", "CASE WHEN {n} THEN {m} ELSE {e} END",
)  # fmt: skip
_TESTS = (
    "CONCAT_WS('-', {x}, {x}) <> ''",
    "CONCAT({x}, {x}) <> ''",
    "COALESCE({e}, {n}) = {n}",
    "{e} > ALL (SELECT {c} FROM {t} WHERE {w})",
    "{e} <> ALL (SELECT {c} FROM {t})",
    "{e} NOT IN (SELECT {c} FROM {t} WHERE {w})",
    "NOT {e} IN (SELECT {o} FROM {t} WHERE {w})",
    "{e} IS UNKNOWN",
    "{e} IS NOT UNKNOWN",
    "{e} IS TRUE",
    "({e} > {n}) IS FALSE",
    "NULLIF({e}, {n}) IS NULL",
    "{e} IN ({n}, {e})",
    "FIELD({e}, {n}) = 0",
    "{x} <=> 'bad'",
    "{x} <=> {l}",
    "NOT ({e} IS NULL OR {e} IS NULL)",
    "NOT ({e} IS NULL OR {e} > {n})",
    "({e} = {n} OR {e} = {n}) IS TRUE",
    "({e} > {n} OR {x} = {l}) IS FALSE",
    "({e} > {n} AND {e} IS NULL) IS FALSE",
    "({e} > {n} AND {e} < {n}) IS NOT TRUE",
    "COALESCE({e} > {n}, FALSE)",
    "COALESCE({e} > {n}, {n})",
    "IFNULL({e}, 0)",
    "COALESCE({x}, 0)",
    "NOT (({e} > {n} OR {e} < {n}) IS NOT TRUE)",
    "NOT ({e} > {n} AND {e} < {n})",
    "({e} AND {e}) IS NOT NULL",
    "({e} OR {e}) = {n}",
    "NOT ({e} XOR {e})",
    "COALESCE({e} IN ({n}, {e}), NULL, 0)",
    "NOT (NOT ({e} > {n}) IS UNKNOWN)",
)
# Each stands in the select list and in the condition.
_TWICE = (
    "NULLIF({e}, {n})",
    "NULLIF({x}, {l})",
    "NULLIF({e}, {e})",
    "{e} / {e}",
    "{e} % {n}",
    "{e} DIV {n}",
    "STR_TO_DATE({x}, '%Y')",
    "CAST({x} AS DATE)",
    "INET_ATON({x})",
    "MAKEDATE({e}, {e})",
    "COALESCE({e}, {e})",
    "SEC_TO_TIME({e})",
    "NULLIF(ROUND(RAND()), 0)",
    "CASE WHEN {e} > {n} THEN {m} END",
    "IF({e} > {n}, {x}, NULL)",
    "NULLIF({e}, {n}) + {e}",
    "SQRT({e} - {n})",
    "CONV({x}, 10, 2)",
    "DATE_ADD({x}, INTERVAL {n} DAY)",
    "LN({e})",
)
_SAID = (
    "{} IS NOT NULL", "{} > {{n}}", "NOT ({} IS NULL)", "{} = {{n}} OR {} <> {{n}}",
    "({} > {{n}}) IS NOT NULL", "COALESCE({}, 0)", "{} IS NOT NULL OR {{e}} = {{n}}",
    "{} IN ({{n}}, {{l}})",
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
    "SELECT x FROM b ORDER BY x FETCH FIRST 1 ROW WITH TIES",
    "SELECT (SELECT COUNT(*) FROM b WHERE b.id = a.id) AS x, COUNT(*) AS n FROM a WHERE a.id = {n}",
    "SELECT EXISTS (SELECT 1 FROM b WHERE b.id = a.id) AS x, MAX(id) AS n FROM a WHERE a.id = {n}",
    "INSERT INTO v (id, x) VALUES ({k}, 1), (78, {n}) RETURNING id, x, n",
    "INSERT INTO v (id, x) VALUES ({k}, 1) RETURNING id, x, n",
    "INSERT IGNORE INTO v (id, x) VALUES ({k}, 1) RETURNING id, x",
    "REPLACE INTO v (id, x) VALUES ({k}, 1), (78, {n}) RETURNING id, n",
    "SELECT COALESCE(oip, IFNULL(s, {p})) AS x, IF({n}, u, IFNULL({p}, s)) AS y FROM e",
)
_BOUND = (
    "SELECT q.x, q.id FROM (SELECT id, x FROM b) q WHERE q.id = {n}",
    "SELECT q.x, q.id FROM (SELECT id, x FROM b) q WHERE q.x = {n}",
    "WITH q AS (SELECT * FROM b) SELECT q.x FROM q WHERE id = {n}",
    (
        "WITH q (i, j) AS (SELECT id, aid FROM b) SELECT p.i, q.j FROM q, q p WHERE q.i = p.j"
        " AND p.i = {n}"
    ),
    (
        "SELECT q.id, q.bid FROM (SELECT a.id, b.id AS bid FROM a LEFT JOIN b ON b.id = a.grp) q"
        " WHERE q.id = {n}"
    ),
    (
        "SELECT q.id, q.bid FROM (SELECT a.id, b.id AS bid FROM a LEFT JOIN b ON b.id = a.grp) q"
        " WHERE q.bid = {n}"
    ),
    "SELECT q.n FROM (SELECT grp, COUNT(*) AS n FROM a GROUP BY grp) q WHERE q.grp = {n}",
    "SELECT q.n FROM (SELECT aid, x, COUNT(*) AS n FROM b GROUP BY aid, x) q WHERE q.aid = {n}",
    (
        "SELECT q.n FROM (SELECT aid, x, COUNT(*) AS n FROM b GROUP BY aid, x) q WHERE q.x = {n}"
        " AND q.aid = {n}"
    ),
    "SELECT q.id, q.n FROM (SELECT id, x, COUNT(*) AS n FROM b GROUP BY x) q WHERE q.id = {n}",
    "SELECT q.grp FROM (SELECT DISTINCT grp FROM a) q WHERE q.grp = {n}",
    "SELECT q.x FROM (SELECT DISTINCT x, aid FROM b) q WHERE q.x = {n}",
    "SELECT q.k FROM (SELECT k, n FROM d) q WHERE q.k = {l}",
    "SELECT q.k2 FROM (SELECT k2, n FROM d) q WHERE q.k2 = {l}",
    "SELECT q.k2 FROM (SELECT UPPER(k2) AS k2, n FROM d) q WHERE q.k2 = {l}",
    "SELECT q.id FROM (SELECT id, MAX(x) AS m FROM b GROUP BY id WITH ROLLUP) q WHERE q.id = {n}",
    "SELECT q.m FROM (SELECT id, MAX(x) AS m FROM b WHERE id = {n} GROUP BY id WITH ROLLUP) q",
    "SELECT q.id FROM (SELECT id, x FROM b WHERE aid >= {n} LIMIT 3) q WHERE q.id = {n}",
    "SELECT q.id, r.x FROM (SELECT id, grp FROM a) q JOIN b r ON r.id = q.grp WHERE q.id = {n}",
    "SELECT q.id FROM (SELECT z.id FROM (SELECT id FROM a) z) q WHERE q.id = {n}",
    "SELECT q.id FROM (SELECT id FROM a UNION ALL SELECT id FROM b) q WHERE q.id = {n}",
    "SELECT q.x FROM (SELECT id, x FROM v FOR SYSTEM_TIME ALL) q WHERE q.id = {n}",
    "SELECT id, grp FROM a WHERE id = (SELECT MAX({c}) FROM {t})",
    "SELECT id, grp FROM a WHERE (SELECT MIN({c}) FROM {t} WHERE {w}) = id",
    "SELECT id, grp FROM a WHERE id = (SELECT {c} FROM {t} WHERE {w} LIMIT 1)",
    "SELECT b.id FROM b WHERE b.id = (SELECT MAX(a.id) FROM a WHERE a.id = b.id)",
    "SELECT a.id FROM a WHERE a.id = (SELECT MAX(a.id) FROM b WHERE b.x < {n})",
    "SELECT id FROM a WHERE id = (SELECT MAX(FLOOR(RAND() * 3)) FROM b)",
    "SELECT k2 FROM d WHERE k2 = (SELECT MAX(title) FROM b)",
    "SELECT k FROM d WHERE k = (SELECT k2 FROM d WHERE n = {n})",
    "SELECT v, bid FROM c WHERE bid = (SELECT COUNT(*) FROM {t}) AND v = (SELECT MAX(v) FROM c)",
    "SELECT DISTINCT grp FROM a WHERE grp = {n}",
    "SELECT DISTINCT {n} AS o, grp FROM a WHERE grp = {n}",
    "SELECT DISTINCT x, aid FROM b WHERE x = {n}",
    "SELECT DISTINCT b.x FROM a LEFT JOIN b ON b.x = {n}",
    "SELECT DISTINCT b.x, a.grp FROM a LEFT JOIN b ON b.x = a.grp WHERE a.grp = {n}",
    "SELECT DISTINCT title FROM b WHERE title = {l}",
    "SELECT DISTINCT k2 FROM d WHERE k2 = {l}",
    "SELECT DISTINCT v FROM c WHERE v = {n}",
    "SELECT DISTINCT grp, COUNT(*) AS n FROM a WHERE grp = {n} GROUP BY grp, f",
    "SELECT DISTINCT grp FROM a WHERE grp = {n} GROUP BY grp WITH ROLLUP",
)
_GROUPS = (
    "SELECT COUNT(*) AS n FROM {t} EXCEPT SELECT {n}",
    "SELECT {n} AS n INTERSECT SELECT {n}",
    "SELECT MAX({o}) AS v, MIN({c}) AS w FROM {t} WHERE {w} HAVING {h}",
    "SELECT SUM({o}) AS v, {o} AS w, COUNT(*) AS n FROM {t} WHERE {w} HAVING {h}",
    "SELECT (SELECT MAX({o}) FROM {t} WHERE {w} HAVING {h}) AS v, MIN(id) AS w FROM a HAVING {h}",
    "SELECT MAX(a.id) AS v FROM a WHERE a.id > (SELECT MIN({o}) FROM {t} WHERE {w} HAVING {h})",
    "SELECT MAX(q.n) AS v, q.n AS w FROM (SELECT {n} AS n) q",
    (
        "SELECT MAX(q.n) AS v, COUNT({t}.{c}) AS w FROM (SELECT {n} AS n) q LEFT JOIN {t}"
        " ON {t}.{c} = {n}"
    ),
    (
        "SELECT SUM(q.n) AS v, MAX({t}.{o}) AS w FROM {t} RIGHT JOIN (SELECT 1 AS n UNION ALL"
        " SELECT {n}) q ON {t}.{c} = q.n"
    ),
    "SELECT q.n, MAX(q.n) AS v FROM (SELECT COUNT(*) AS n FROM {t}) q, (SELECT {n} AS m) r",
    "SELECT q.n FROM (SELECT COUNT(*) AS n FROM {t}) q JOIN (SELECT {n} AS m) r ON q.n = r.m",
    "SELECT q.n FROM (SELECT COUNT(*) AS n FROM {t}) q",
    "SELECT q.n, r.m FROM (SELECT {n} AS n) q LEFT JOIN (SELECT {n} AS m) r ON q.n = r.m",
    "SELECT MAX(q.n) AS v FROM (SELECT {n} AS n LIMIT {n}) q",
    "SELECT MAX(q.n) AS v FROM (SELECT {n} AS n) q WHERE q.n = {n}",
    "SELECT MAX(q.n) AS v FROM (SELECT COUNT(*) AS n FROM {t} HAVING {h}) q",
    "SELECT MAX(q.n) AS v FROM (SELECT {o} AS n FROM {t}) q",
    "SELECT MAX(q.n) AS v FROM {t} LEFT JOIN (SELECT {n} AS n) q ON TRUE",
    "SELECT q.n FROM (SELECT {n} AS n) q NATURAL JOIN (SELECT {n} AS n) r",
    "SELECT q.n, COUNT(*) AS m FROM (SELECT {n} AS n) q GROUP BY q.n WITH ROLLUP",
)
_ROUNDS = (
    *(
        f"WITH RECURSIVE r (n, m) AS (SELECT id, {column} FROM e UNION ALL SELECT n + 1, 'bad'"
        " FROM r WHERE n < 3) SELECT n, m FROM r"
        for column in ("ip", "u")
    ),
    (
        "WITH RECURSIVE r (n, m) AS (SELECT id, ip FROM e UNION ALL SELECT n + 1, {s} FROM r"
        " WHERE n < {n}) SELECT n, m FROM r"
    ),
    (
        "WITH RECURSIVE r (n, m) AS (SELECT 0, {v} UNION ALL SELECT n + 1, {s} FROM r"
        " WHERE n < {n}) SELECT n, m FROM r"
    ),
    (
        "WITH RECURSIVE r (n, m, o) AS (SELECT 0, {v}, {v} UNION ALL SELECT n + 1, o, {s} FROM r"
        " WHERE n < 3) SELECT n, m, o FROM r"
    ),
    (
        "WITH RECURSIVE r (n, m) AS (SELECT {n}, {v} UNION SELECT {n}, {v} UNION ALL SELECT n + 1,"
        " {s} FROM r WHERE n < {n}) SELECT n, m FROM r"
    ),
    (
        "WITH RECURSIVE r (n, m) AS (SELECT 0, {v} UNION SELECT n + 1, {s} FROM r WHERE n < {n}"
        " LIMIT {n}) SELECT MAX(n) AS x, MIN(m) AS y FROM r"
    ),
    (
        "WITH RECURSIVE r (n, m) AS (SELECT id, {c} FROM {t} WHERE {w} UNION SELECT b.aid, b.x"
        " FROM b JOIN r ON b.id = r.n) SELECT n, m FROM r"
    ),
    (
        "WITH RECURSIVE r (n, m) AS (SELECT id, aid FROM b WHERE id >= {n} UNION SELECT b.aid, r.n"
        " FROM r LEFT JOIN b ON b.id = r.n WHERE r.n < 3) SELECT n, m FROM r"
    ),
    (
        "WITH RECURSIVE r (n, m) AS (SELECT 0, {v} UNION ALL SELECT n + 1, {s} FROM r"
        " WHERE n < {n}) SELECT MAX(n) AS x, MAX(m) AS y, COUNT(*) AS z FROM r"
    ),
)
_CHOICES = {
    "f": (
        "ROWS UNBOUNDED PRECEDING",
        "ROWS CURRENT ROW",
        "ROWS {n} PRECEDING",
        "RANGE UNBOUNDED PRECEDING",
        "ROWS BETWEEN {n} PRECEDING AND {n} FOLLOWING",
        "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
        "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
        "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
        "RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
        "RANGE BETWEEN {n} PRECEDING AND {n} FOLLOWING",
        "ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING",
        "ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING",
        "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING",
    ),
    "h": (
        "COUNT(*) > 0",
        "COUNT(*) >= 1",
        "COUNT(*) <> 0",
        "0 < COUNT(*)",
        "COUNT({c}) >= {n}",
        "COUNT(*) >= {n}",
        "COUNT(*) = {n}",
        "COUNT(*)",
        "COUNT(*) < 9",
        "NOT COUNT(*)",
        "COUNT(*) > {n} AND {n} < 2",
        "COUNT(*) > {n} OR {n} = 1",
        "COUNT(DISTINCT {c}) > {n}",
        "{n} <= COUNT({c})",
        "COUNT(*) > 0 < {n}",
        "COUNT({c}) <=> {n}",
    ),
    "v": (
        "1",
        "'a'",
        "CAST('::1' AS inet6)",
        "1.5",
        "NULL",
        "DATE '2020-01-01'",
        "UUID()",
        "(SELECT MAX(id) FROM a)",
        "(SELECT COUNT(*) FROM a)",
        "TRUE",
        "CAST('x' AS CHAR(9))",
    ),
    "s": (
        "m",
        "m + 1",
        "NULL",
        "'bad'",
        "CONCAT(m, 'x')",
        "NULLIF(m, 2)",
        "n",
        "COALESCE(NULL, m)",
        "m * 1000000000",
        "1e300",
        "'zzzz'",
        "-m",
        "LEFT(m, 1)",
        "m / 2",
        "DATE '0000-00-00'",
        "m > 1",
        "UPPER(m)",
        "m IS NULL",
        "GREATEST(m, n)",
    ),
}


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
                **{key: partial(random.choice, forms) for key, forms in _CHOICES.items()},
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
    if form < 0.62:
        value = filled(random.choice(_TWICE))
        said = filled(random.choice(_SAID).format(value, value))
        if random.random() < 0.2:
            return f"SELECT CASE WHEN {said} THEN {value} ELSE 1 END AS x FROM {table}"
        return (
            f"SELECT {value} AS x, {filled(random.choice(_TWICE))} AS y FROM {table} WHERE {said}"
        )
    table, columns = "b", COLUMNS["b"]
    return filled(random.choice(random.choice((_ROWS, _BOUND, _GROUPS, _ROUNDS))))
