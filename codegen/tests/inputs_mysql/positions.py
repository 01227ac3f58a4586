"""The places of a parameter: each argument of each function, each operand, each clause."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.inputs_mysql.functions import Function
from tests.inputs_mysql.values import COLUMNS

_INTEGERS = frozenset({"i", "ok", "y", "bt", "id"})


@dataclass(frozen=True, slots=True)
class Position:
    """One `?` in a statement. `base` is the statement without the text around the function.

    `is_value` means that the only result column is computed from the parameter. `compares` means
    that the parameter is compared with a column directly, or stored into one. `counts` means that a
    column of whole numbers is beside it.
    """

    label: str
    sql: str
    base: str = ""
    is_value: bool = False
    compares: bool = False
    counts: bool = False


def of_function(function: Function, number: int) -> Iterator[Position]:
    """Yield the positions of a function's arguments: alone, beside columns, nested, and as columns.

    `number` selects the columns, so that every column is used with many functions.
    """
    for place in range(len(function.arguments)):
        label = f"{function.name}/{place + 1} of {len(function.arguments)}"
        call = function.call(place)
        base = f"SELECT {call} AS c0 FROM t WHERE id < 3"
        yield Position(label, base, is_value=True)
        if len(function.arguments) > 1:
            for column in _some(COLUMNS, number + place, 3):
                sql = f"SELECT {function.call(place, others=column)} AS c0 FROM t WHERE id < 3"
                yield Position(
                    f"{label} beside {column}", sql, is_value=True, counts=column in _INTEGERS
                )
        if function.over:
            continue
        for around in _some(_AROUND, number + place, 2):
            sql = f"SELECT {around.format(x=call)} AS c0 FROM t WHERE id < 3"
            yield Position(f"{label} in {around}", sql, base)
        for column in _some(COLUMNS, number + place, 3):
            sql = f"SELECT id FROM t WHERE {column} = {call}"
            yield Position(f"{column} = {label}", sql, base, counts=column in _INTEGERS)
        for column in _some(COLUMNS, number + place + 7, 2):
            sql = f"UPDATE t SET {column} = {call}"
            yield Position(f"{column} := {label}", sql, base, counts=column in _INTEGERS)


# What may be around a call, where the call still takes what it takes.
_AROUND = (
    "COALESCE({x}, s)", "CONCAT({x}, 'z')", "IF(ok, {x}, NULL)", "CASE WHEN id > 1 THEN {x} END",
    "CASE {x} WHEN 1 THEN s END", "NULLIF({x}, 0)", "({x}) IN (1, 'abc')", "({x}) + w",
    "({x}) LIKE s", "({x}) BETWEEN i AND w", "(SELECT {x})", "({x}) = born", "NOT ({x})",
    "UPPER({x})", "({x}) & i", "GREATEST({x}, at)", "CAST({x} AS CHAR)", "({x}, id) = (s, i)",
    "MAX({x})", "({x}) IS NULL",
)  # fmt: skip


def _some(columns: Sequence[str], start: int, count: int) -> list[str]:
    return [columns[(start + 5 * step) % len(columns)] for step in range(count)]


_BINARY = (
    "+", "-", "*", "/", "DIV", "%", "MOD", "&", "|", "^", "<<", ">>", "LIKE", "NOT LIKE", "REGEXP",
    "RLIKE", "NOT REGEXP", "SOUNDS LIKE", "AND", "&&", "OR", "||", "XOR",
)  # fmt: skip
_COMPARED = ("=", "<>", "!=", "<", "<=", ">", ">=", "<=>")
# With {c} for a column.
_PREDICATES = (
    "{c} BETWEEN ? AND {c}", "{c} BETWEEN {c} AND ?", "? BETWEEN {c} AND {c}",
    "{c} NOT BETWEEN ? AND {c}", "{c} IN (?)", "{c} IN (?, {c})", "? IN ({c})", "{c} NOT IN (?)",
    "({c}, id) = (?, 1)", "(?, 1) IN (({c}, id))", "row({c}, id) = row(?, 1)",
    "({c}, id) IN ((?, 1), ({c}, 2))", "{c} = ANY (SELECT ?)", "? > ALL (SELECT {c} FROM t x)",
    "? IN (SELECT {c} FROM t x)", "{c} = (SELECT ?)", "{c} = ? IS TRUE", "{c} = -?", "{c} = +?",
    "{c} = (?)", "{c} = ? || FALSE", "NOT ({c} = ?)", "{c} LIKE concat(?, '%')",
    "{c} LIKE ? ESCAPE '!'", "{c} > ? - INTERVAL 1 DAY", "{c} > {c} - INTERVAL ? DAY",
    "{c} < NOW() - INTERVAL ? HOUR", "{c} = COALESCE(?, {c})", "{c} = COALESCE(?, 0)",
    "{c} = NULLIF(?, 0)", "{c} = NULLIF(?, '')", "{c} = GREATEST(?, 0)", "{c} = LEAST(?, 5, 6)",
    "{c} = IFNULL(?, 1)", "{c} = IF(ok, ?, 0)", "{c} = IF(?, {c}, NULL)",
    "{c} = CASE WHEN ok THEN ? ELSE 0 END", "{c} = CASE WHEN ? THEN {c} END",
    "{c} = CASE {c} WHEN ? THEN {c} END", "CASE {c} WHEN ? THEN TRUE ELSE FALSE END",
    "CASE ? WHEN {c} THEN TRUE ELSE FALSE END", "{c} = CASE ? WHEN 'a' THEN {c} END",
    "{c} = CASE ? WHEN 1 THEN {c} END", "{c} = ? + 1", "{c} = ? * 2", "{c} = 1 - ?", "{c} = ? / 2",
    "{c} > {c} * ?", "{c} > 1.5 * ?", "{c} + ? > 1", "NULLIF({c}, ?) IS NULL",
    "COALESCE({c}, ?) = {c}", "GREATEST({c}, ?) = {c}", "INTERVAL({c}, ?, 5) = 1",
    "INTERVAL(?, 1, 5) = 1", "EXISTS (SELECT 1 FROM t x WHERE x.{c} = ?)",
    "{c} = (SELECT max(x.{c}) FROM t x WHERE x.id < ?)", "json_value(js, '$.a') = ?",
    "json_extract(js, '$.a') = ?", "extract(YEAR FROM at) = ?", "extract(YEAR FROM ?) = y",
    "{c} & ? > 0", "{c} << ? > 0", "? IS NULL OR {c} = ?", "{c} IS NULL = ?", "{c} = ? IS NULL",
    "{c} <=> IFNULL(?, NULL)", "(SELECT count(*) FROM t x WHERE x.{c} = t.{c}) > ?",
    "{c} = ANY_VALUE(?)", "MATCH (s) AGAINST (?)", "MATCH (s) AGAINST (? IN BOOLEAN MODE)",
    "MATCH (s) AGAINST ('abc') > ?",
)  # fmt: skip
_TYPES = (
    "BINARY", "CHAR", "CHAR(10)", "DATE", "DATETIME", "DATETIME(6)", "DECIMAL(10, 2)", "DOUBLE",
    "FLOAT", "INTEGER", "NCHAR", "SIGNED", "UNSIGNED", "TIME", "TIME(6)", "INET6", "UUID",
    "VARCHAR(9)",
)  # fmt: skip
_UNITS = (
    "MICROSECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR",
    "SECOND_MICROSECOND", "MINUTE_MICROSECOND", "MINUTE_SECOND", "HOUR_MICROSECOND", "HOUR_SECOND",
    "HOUR_MINUTE", "DAY_MICROSECOND", "DAY_SECOND", "DAY_MINUTE", "DAY_HOUR", "YEAR_MONTH",
)  # fmt: skip
# Functions and clauses with words of their own; each gives a column.
_WORDED = (
    "TRIM(LEADING ? FROM s)", "TRIM(TRAILING 'x' FROM ?)", "TRIM(BOTH ? FROM 'xax')",
    "TRIM(? FROM s)", "POSITION(? IN s)", "POSITION('a' IN ?)", "SUBSTRING(s FROM ?)",
    "SUBSTRING(s FROM 1 FOR ?)", "SUBSTRING(? FROM 1 FOR 2)", "CONVERT(? USING utf8mb4)",
    "CHAR(? USING utf8mb4)", "GROUP_CONCAT(?)", "GROUP_CONCAT(s ORDER BY ?)",
    "GROUP_CONCAT(DISTINCT ? SEPARATOR ',')", "GROUP_CONCAT(s ORDER BY s LIMIT ?)",
    "WEIGHT_STRING(? AS CHAR(3))", "GET_FORMAT(DATE, ?)", "NTILE(?) OVER (ORDER BY id)",
    "LAG(i, ?) OVER (ORDER BY id)", "LEAD(?, 1) OVER (ORDER BY id)",
    "NTH_VALUE(s, ?) OVER (ORDER BY id)", "FIRST_VALUE(?) OVER (ORDER BY id)",
    "SUM(i) OVER (ORDER BY id ROWS ? PRECEDING)", "SUM(?) OVER ()",
    "PERCENTILE_CONT(?) WITHIN GROUP (ORDER BY i) OVER ()", "MEDIAN(?) OVER ()",
    "COUNT(DISTINCT ?)", "COUNT(DISTINCT i, ?)", "JSON_ARRAYAGG(?)", "JSON_OBJECTAGG(?, i)",
    "JSON_OBJECTAGG(s, ?)", "plus_days(?, 1)", "plus_days(born, ?)", "named(?, 1.5)",
    "named('a', ?)", "COLUMN_GET(COLUMN_CREATE('a', 1), ? AS CHAR)", "COLUMN_CREATE(?, 1)",
    "COLUMN_CREATE('a', ?)", "COLUMN_CREATE('a', ? AS CHAR)",
    "COLUMN_ADD(COLUMN_CREATE('a', 1), ?, 2)", "COLUMN_DELETE(COLUMN_CREATE('a', 1), ?)",
    "NAME_CONST('x', ?)", "(? IS TRUE)", "(? IS UNKNOWN)", "(? IS NULL)", "(NOT ?)", "(! ?)",
    "(~ ?)", "(- ?)", "BINARY ?", "(? COLLATE utf8mb4_bin)", "@x := ?",
    "SUM(CASE WHEN s = ? THEN 1 ELSE 0 END)", "SUM(s = ?)", "SUM(IF(i > ?, 1, 0))",
    "CURRENT_TIMESTAMP() > ?", "COUNT(*) > ?", "MAX(w) > ?",
    "(SELECT ? UNION SELECT s FROM t LIMIT 1)", "SLEEP(0 * ?)", "DATE_FORMAT(at, ?)",
    "STR_TO_DATE(s, ?)",
)  # fmt: skip
# Whole statements; with {c} for a column.
_STATEMENTS = (
    "SELECT id FROM t LIMIT ?", "SELECT id FROM t LIMIT 1 OFFSET ?", "SELECT id FROM t LIMIT ?, 1",
    "SELECT id FROM t ORDER BY id FETCH FIRST ? ROWS ONLY", "SELECT id FROM t OFFSET ? ROWS",
    "SELECT id FROM t ORDER BY id = ?", "SELECT max({c}) FROM t GROUP BY id HAVING max({c}) > ?",
    "SELECT {c} AS x FROM t HAVING x = ?", "SELECT {c} FROM t UNION SELECT ?",
    "SELECT ? UNION ALL SELECT {c} FROM t", "SELECT {c} FROM t EXCEPT SELECT ?",
    "SELECT x.{c} FROM (SELECT {c} FROM t UNION ALL SELECT {c} FROM t) x WHERE x.{c} = ?",
    "SELECT x.v FROM (SELECT {c} AS v FROM t UNION SELECT NULL) x WHERE x.v = ?",
    "SELECT x.v FROM (SELECT {c} AS v FROM t INTERSECT SELECT {c} FROM t) x WHERE x.v = ?",
    "WITH x AS (SELECT {c} AS v FROM t) SELECT v FROM x WHERE v = ?",
    ("WITH RECURSIVE x AS (SELECT {c} AS v FROM t UNION SELECT v FROM x) SELECT v"
     " FROM x WHERE v = ?"),
    "SELECT t.id FROM t JOIN t o ON o.{c} = t.{c} AND o.{c} = ?",
    "SELECT t.id FROM t LEFT JOIN t o ON o.id = t.id AND o.{c} = ? WHERE o.{c} = t.{c}",
    "UPDATE t SET {c} = ? WHERE id = 1", "UPDATE t SET {c} = COALESCE(?, {c}) WHERE id = 1",
    "UPDATE t SET {c} = IF(ok, ?, {c})", "UPDATE t SET {c} = CASE id WHEN 1 THEN ? ELSE {c} END",
    "UPDATE t SET {c} = CASE id WHEN ? THEN {c} ELSE {c} END",
    "UPDATE t SET {c} = NULLIF(?, {c}) WHERE id = 1",
    "UPDATE t SET i = 1 WHERE {c} = ?", "DELETE FROM t WHERE {c} = ?",
    "DELETE FROM t ORDER BY id LIMIT ?", "UPDATE t SET i = 1 ORDER BY id LIMIT ?",
    "INSERT INTO t (id, i, s, st, ok, {c}) VALUES (9, 1, 'a', 'a', 1, ?)",
    "INSERT INTO t (id, s, i, st, ok) VALUES (1, 'a', 1, 'a', 1) ON DUPLICATE KEY UPDATE {c} = ?",
    ("INSERT INTO t (id, s, i, st, ok) VALUES (1, 'a', 1, 'a', 1) ON DUPLICATE KEY"
     " UPDATE i = IF(VALUES({c}) > ?, 1, 2)"),
    "INSERT INTO t (id, i, s, st, ok, {c}) SELECT 9, 1, 'a', 'a', 1, ?",
    "REPLACE INTO t SET id = 1, {c} = ?", "CALL noted(?, 1.5, '2020-01-01')",
    "CALL noted('a', ?, '2020-01-01')", "CALL noted('a', 1.5, ?)",
    "SELECT j.v FROM JSON_TABLE(?, '$[*]' COLUMNS (v int PATH '$')) j",
    "SELECT j.v FROM t, JSON_TABLE(t.js, '$[*]' COLUMNS (v int PATH '$')) j WHERE j.v = ?",
    "SELECT j.v FROM t, JSON_TABLE(t.js, '$[*]' COLUMNS (v varchar(9) PATH '$')) j WHERE j.v = ?",
    ("SELECT j.v FROM t, JSON_TABLE(t.js, '$[*]' COLUMNS (n FOR ORDINALITY, v date"
     " PATH '$')) j WHERE j.n = ?"),
    "VALUES (1), (?)", "DO ?", "SELECT id FROM t WHERE ?", "SELECT id FROM t WHERE NOT ?",
    "SELECT id FROM t WHERE ok AND ?", "SELECT id FROM t GROUP BY id = ?",
)  # fmt: skip
# They make numbers of what they take, whatever the result is compared with.
_BITS = ("(? | 0)", "(? | FALSE)", "(~?)", "(? << 1)", "(? & 7)", "(? ^ 1)")
_OF_TEXTS = ("{c} = BINARY ?", "BINARY {c} = ?", "{c} = ? COLLATE utf8mb4_bin")
_CHOOSES = re.compile(r"CASE|IF\((?!VALUES)")  # what is stored is one of several values
_TEXTS = frozenset({"s", "b", "st", "js"})


def of_operators() -> Iterator[Position]:
    """Yield the operands of every operator, beside each column and each sort of literal."""
    for column in COLUMNS:
        counts = column in _INTEGERS
        for operator in (*_COMPARED, *_BINARY):
            for text in (f"{column} {operator} ?", f"? {operator} {column}"):
                yield Position(
                    text, f"SELECT ({text}) AS c0 FROM t", is_value=True, counts=counts,
                    compares=operator in _COMPARED,
                )  # fmt: skip
        for made in _BITS:
            sql = f"SELECT id FROM t WHERE {column} = {made}"
            base = f"SELECT {made} AS c0 FROM t"
            yield Position(f"{column} = {made}", sql, base, counts=counts, compares=True)
        for form in (*_PREDICATES, *(_OF_TEXTS if column in _TEXTS else ())):
            if form.count("?") == 1 and ("{c}" in form or column == "i"):
                text = form.format(c=column)
                compares = "CASE" not in text and "LIKE" not in text and "(?, 0)" not in text
                sql = f"SELECT id FROM t WHERE {text}"
                yield Position(text, sql, counts=counts, compares=compares)
    for literal in ("1", "1.5", "1e0", "'abc'", "DATE'2024-05-06'", "NULL", "TRUE", "x'ff'"):
        for operator in (*_COMPARED, *_BINARY):
            for text in (f"{literal} {operator} ?", f"? {operator} {literal}"):
                yield Position(
                    text, f"SELECT ({text}) AS c0 FROM t", is_value=True,
                    compares=operator in _COMPARED, counts=literal == "1" and operator in _COMPARED,
                )  # fmt: skip


def of_clauses() -> Iterator[Position]:
    """Yield the places in clauses, and in functions with words between their arguments."""
    for kind in _TYPES:
        yield Position(f"CAST {kind}", f"SELECT CAST(? AS {kind}) AS c0 FROM t", is_value=True)
        yield Position(f"CONVERT {kind}", f"SELECT CONVERT(?, {kind}) AS c0 FROM t", is_value=True)
    for unit in _UNITS:
        for text in (
            f"at + INTERVAL ? {unit}", f"? + INTERVAL 1 {unit}", f"EXTRACT({unit} FROM ?)",
            f"DATE_ADD(at, INTERVAL ? {unit})", f"DATE_SUB(?, INTERVAL 1 {unit})",
            f"TIMESTAMPDIFF({unit}, ?, at)", f"TIMESTAMPDIFF({unit}, at, ?)",
            f"TIMESTAMPADD({unit}, ?, at)", f"TIMESTAMPADD({unit}, 1, ?)",
            f"born - INTERVAL ? {unit}",
        ):  # fmt: skip
            yield Position(text, f"SELECT {text} AS c0 FROM t", is_value=True)
        for column in ("at", "born", "ts", "s"):
            text = f"{column} > ? - INTERVAL 1 {unit}"
            yield Position(text, f"SELECT id FROM t WHERE {text}")
    for text in _WORDED:
        yield Position(text, f"SELECT {text} AS c0 FROM t WHERE id < 3", is_value="@" not in text)
    for form in _STATEMENTS:
        for column in COLUMNS if "{c}" in form else ("i",):
            sql = form.format(c=column) if "{c}" in form else form
            yield Position(
                sql, sql, compares=not _CHOOSES.search(sql),
                counts=column in _INTEGERS or "{c}" not in form,
            )  # fmt: skip
