"""Random queries: all constructs of the rules, and operators in any grouping."""

from __future__ import annotations

import re
from random import Random

from tests.fuzz.optional import Parts, named
from tests.fuzz_mysql.directed import directed
from tests.fuzz_mysql.documents import Documents
from tests.fuzz_mysql.world import COLUMNS, KEYS

_PLACE = re.compile(r"<<(\d+)>>")
Scope = dict[str, dict[str, str]]
_COMPARE = ("=", "<>", "<", ">=", "<=>")
_LITERALS = {
    "int": ("0", "1", "2", "5", "-1"),
    "text": ("'lit'", "'1'", "'a'", "''"),
    "dec": ("1.5", "0.0", "-2.25"),
    "time": ("DATE '2000-01-01'", "TIMESTAMP '2020-02-29 12:00:00'", "NOW()", "'2000-01-01'"),
    "net": ("'::1'", "'bad'", "UUID()"),
    "clock": ("TIME '01:02:03'", "'10:00:00'", "'bad'"),
}
_ONE_TO_ONE = {
    "int": ("ABS({})", "SIGN({})", "FLOOR({})", "CEIL({})", "ROUND({})", "-{}",
            "TRUNCATE({}, 1)", "BIT_COUNT({})", "~{}"),
    "text": (
        "UPPER({})", "LOWER({})", "TRIM({})", "LTRIM({})", "REVERSE({})", "LEFT({}, 2)",
        "RIGHT({}, 1)",
        "SUBSTRING({}, 2)", "SUBSTRING({}, 1, 1)", "SUBSTRING_INDEX({}, 'i', 1)", "MD5({})",
        "SHA1({})",
        "REPLACE({}, 'i', 'j')", "MID({}, 1, 2)", "CONCAT({})", "CONVERT({} USING utf8mb4)",
        "HEX({})", "QUOTE({})",
        "REPEAT({}, 2)", "LPAD({}, 3, 'x')", "REGEXP_SUBSTR({}, 'i')", "SHA2({}, 256)",
        "FROM_BASE64({})",
    ),
    "dec": ("ROUND({}, 1)", "ABS({})", "{} * 2", "TRUNCATE({}, 1)",
            "SQRT({})", "LN({})", "{} / 2", "{} % 3"),
    "time": (
        "DATE_ADD({}, INTERVAL 1 YEAR)", "{} + INTERVAL 1 DAY", "DATE({})", "LAST_DAY({})",
        "TIMESTAMP({})",
        "CAST({} AS DATE)", "CAST({} AS DATETIME)", "{} - INTERVAL 3000 YEAR",
    ),
    "net": ("{}", "COALESCE({}, 'bad')", "NULLIF({}, '::1')", "LOWER({})"),
    "clock": ("{}", "SEC_TO_TIME(TIME_TO_SEC({}))", "ADDTIME({}, '01:00:00')"),
}  # fmt: skip
_TO_INT = (
    "LENGTH({t})", "CHAR_LENGTH({t})", "ASCII({t})", "LOCATE('i', {t})", "INSTR({t}, 'i')",
    "STRCMP({t}, 'a')", "ORD({t})",
    "CRC32({t})", "FIND_IN_SET('a', {t})", "FIELD({t}, 'lit', 'a')", "BIT_LENGTH({t})",
    "YEAR({d})", "MONTH({d})",
    "DATEDIFF({d}, {d})", "TO_DAYS({d})", "UNIX_TIMESTAMP({d})", "HOUR({d})", "CAST({t} AS SIGNED)",
    "CAST({n} AS UNSIGNED)", "{i} DIV {i}", "{i} MOD {i}", "ISNULL({t})", "INTERVAL({i}, 1, 2)",
    "{t} REGEXP 'l'",
    "{t} SOUNDS LIKE 'lit'", "EXTRACT(YEAR FROM {d})", "WEEK({d})", "DAYOFWEEK({d})",
    "JSON_VALID({t})",
    "CAST({n} AS DECIMAL(8, 2))", "INET_ATON({t})", "POSITION('a' IN {t})",
    "WEEK({d}, {i})", "YEARWEEK({d}, {i})", "JSON_DEPTH({t})", "JSON_DEPTH('[1]')",
    "BENCHMARK({i}, 1)", "-ISNULL({t})", "-({i} > 1)", "({i} > 1) | 4", "COALESCE({i} > 1, {i})",
    "GREATEST({i}, {i} = 1)", "HOUR({c})", "TIME_TO_SEC({c})", "COLUMN_EXISTS({t}, {i})",
)  # fmt: skip
_TO_TEXT = (
    "CONCAT({t}, {i})", "CONCAT_WS({t}, {t}, {t})", "CAST({i} AS CHAR)",
    "DATE_FORMAT({d}, '%Y')", "ELT({i}, 'x', 'y')",
    "CHAR({i})", "DAYNAME({d})", "FORMAT({n}, 1)", "CONV({i}, 10, 2)", "INET_NTOA({i})",
    "SEC_TO_TIME({i})",
    "COALESCE({p}, {t})", "IF({i}, {t}, {p})", "CASE {i} WHEN 1 THEN {p} ELSE {t} END",
    "GREATEST({p}, {t})", "LEAST({c}, {t})", "GREATEST({d}, {t})", "IFNULL({p}, {p})",
    "REPLACE({t}, '', {t})", "REPLACE({t}, {t}, {t})", "SHA2({t}, {i})", "DATE_FORMAT({d}, {t})",
    "JSON_OBJECT('a', {i} = 1, 'b', {t} IS NULL)", "NULLIF({p}, {t})",
    "JSON_OBJECT('a', {t})", "JSON_EXTRACT('[1]', '$[0]')", "STR_TO_DATE({t}, '%Y')",
    "MAKEDATE({i}, {i})",
)  # fmt: skip


class Grammar:
    """Make one query per call of `query`; equal seeds give equal queries.

    With `documents`, each query builds JSON.
    """

    def __init__(self, seed: int, *, documents: bool = False) -> None:
        self.random = Random(seed)
        self.documents = documents
        self._names = 0
        self.ctes: dict[str, dict[str, str]] = {}
        self.parameters: list[str] = []
        self.parts = Parts(self.random)

    def query(self, *, plain: bool = False) -> tuple[str, list[str]]:
        """Return a query and the sorts of its parameters, in order.

        Unless it is `plain`, one in seven has optional parts or embedded rows, as in a query file.
        """
        self.ctes, self.parameters = {}, []
        if not plain and not self.documents and self._chance(0.15):
            text = _PLACE.sub(r"«\1»", self._dynamic())
            sql, numbers = named(text, self.random, lambda name: f"sqlc.arg({name})")
            return sql, [self.parameters[int(number)] for number in numbers]
        kind = self.random.random()
        if self.documents:
            sql = Documents(self).select()
        elif kind < 0.05:
            sql = self._returning()
        elif kind < 0.2:
            sql = self._lookup()
        elif kind < 0.5:
            sql = directed(self)
        else:
            sql = self._with() + self.select(2)[0]
        places = [int(number) for number in _PLACE.findall(sql)]  # made in another order
        return _PLACE.sub("?", sql), [self.parameters[number] for number in places]

    def _alias(self) -> str:
        self._names += 1
        return f"t{self._names}"

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    # --- dynamic queries ----------------------------------------------------------------------

    def _dynamic(self) -> str:
        """Return a query with optional parts, usually with embedded rows."""
        self.parts.begin()
        form = self.random.random()
        if form < 0.1:
            sql = self._returning()
        elif form < 0.3:
            sql = self._with() + self.select(2)[0]
        elif form < 0.45:
            sql = self._with() + self._embedded_parts()
        else:
            sql = self._with() + self._embedded()
        self.parts.end()
        return sql

    def _embedded(self) -> str:
        """Return a query that selects whole rows of joined tables."""
        tables, scope = self._joined(*self._relation(1), 1)
        if self._chance(0.5):
            tables, scope = self._joined(tables, scope, 1)
        if self._chance(0.3):  # a table of which nothing else speaks
            right, theirs = self._relation(0)
            word = self.random.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN"])
            on = f"{self._column(scope, 'int') or '1'} = {self._column(theirs, 'int') or '1'}"
            tables += self.parts.line(f" {word} {right} ON {on}", 1)
        kinds = [self.random.choice(["int", "text"]) for _ in range(self.random.randrange(3))]
        items = [f"{self.expression(scope, kind, 1)} AS c{i}" for i, kind in enumerate(kinds)]
        rows = self.random.sample(list(scope), min(len(scope), self.random.randrange(1, 3)))
        items += [f"sqlc.embed({alias})" for alias in rows]
        self.random.shuffle(items)
        where = self._where(scope, 1) if self._chance(0.8) else ""
        tail = self.random.choice(["", "", "", " LIMIT 1", " LIMIT 2 OFFSET 1"])
        if self._chance(0.1) and kinds:
            tail = "\nORDER BY c0 -- :sort c0, c0 DESC\n" + tail
        shown = ", ".join(items)
        return f"SELECT {shown} FROM {tables}{where}{self.parts.line(tail) if tail else ''}"

    def _embedded_parts(self) -> str:
        """Return a set operation whose operands select the rows of one table."""
        name = self.random.choice(["a", "b", "c", "d", "e", "va"])
        kind = self.random.choice(["int", "text"])
        parts = []
        for _ in range(self.random.randrange(2, 4)):
            alias = self._alias()
            tables, scope = f"{name} {alias}", {alias: COLUMNS[name]}
            if self._chance(0.4):
                other, theirs = self._relation(0)
                word = self.random.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "RIGHT JOIN"])
                on = f"{self._column(scope, 'int') or '1'} = {self._column(theirs, 'int') or '1'}"
                tables, scope = f"{tables} {word} {other} ON {on}", {**scope, **theirs}
            items = [f"{self.expression(scope, kind, 1)} AS c0", f"sqlc.embed({alias})"]
            parts.append(f"(SELECT {', '.join(items)} FROM {tables}{self._where(scope, 1)})")
        word = self.random.choice(["UNION", "UNION ALL", "INTERSECT", "EXCEPT"])
        first, *others = parts
        return first + "".join(self.parts.line(f" {word} {part}", 0.3) for part in others)

    def _where(self, scope: Scope, depth: int) -> str:
        conditions = [self.condition(scope, depth)]
        if self.parts.open and self._chance(0.7):
            conditions.append(self.condition(scope, depth))
        return self.parts.conditions("WHERE", conditions)

    # --- statements ---------------------------------------------------------------------------

    def _returning(self) -> str:
        table = self.random.choice("ab")
        scope = {table: COLUMNS[table]}
        items = ", ".join(
            f"{self.expression(scope, kind, 1)} AS r{i}" for i, kind in enumerate(("int", "text"))
        )
        if self._chance(0.6):
            return f"DELETE FROM {table}{self._where(scope, 1)} RETURNING *, {items}"
        values = (
            "77, 1, NULL, 'zz', NULL"
            if table == "b"
            else "77, 'n', NULL, 1, NULL, NULL, '2000-01-01', 'p'"
        )
        verb = self.random.choice(["INSERT", "INSERT IGNORE", "REPLACE"])
        return f"{verb} INTO {table} VALUES ({values}) RETURNING *, {items}"

    def _lookup(self) -> str:
        """Return a query that finds a row by a key, for row counts."""
        table = self.random.choice("abcdv")
        alias = self._alias()
        scope = {alias: COLUMNS[table]}
        where = [self._equals(alias, table, column) for column in self.random.choice(KEYS[table])]
        joined = ""
        if self._chance(0.6):
            other = self.random.choice("abcd")
            next_ = self._alias()
            key = self.random.choice(KEYS[other])
            on = [
                self._equals(next_, other, column)
                if self._chance(0.4)
                else f"{next_}.{column} = {self._column(scope, COLUMNS[other][column]) or '1'}"
                for column in key
            ]
            side = self.random.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN"])
            joined = f" {side} {other} {next_} ON {' AND '.join(on)}"
            scope = {**scope, next_: COLUMNS[other]}
        if self._chance(0.3):
            where.append(self.condition(scope, 1))
        items = ", ".join(f"{a}.{c} AS {a}_{c}" for a, columns in scope.items() for c in columns)
        tail = self.random.choice(["", "", " LIMIT 1", " GROUP BY 1", " FOR UPDATE"])
        past = " FOR SYSTEM_TIME ALL" if table == "v" and self._chance(0.5) else ""
        clause = self._commented(f" WHERE {' AND '.join(where)}")
        return f"SELECT {items} FROM {table}{past} {alias}{joined}{clause}{tail}"

    def _equals(self, alias: str, table: str, column: str) -> str:
        kind = COLUMNS[table][column]
        literal = self.random.choice(_LITERALS[kind])
        strange = self.random.choice(
            ["1", "'1'", "1.0", "'a'", "NULL", "'1' COLLATE utf8mb4_general_ci"]
        )
        form = self.random.random()
        if form < 0.15:
            return f"{alias}.{column} = {strange}"
        if form < 0.2:
            return f"{alias}.{column} <=> {literal}"
        if form < 0.25:
            return f"{alias}.{column} IN ({literal})"
        if form < 0.45:
            return f"{alias}.{column} = {self.parameter(kind)}"
        return f"{alias}.{column} = {literal}"

    def parameter(self, kind: str) -> str:
        """Return a placeholder for a parameter of a sort."""
        self.parameters.append(kind)
        return f"<<{len(self.parameters) - 1}>>"

    def _with(self) -> str:
        if not self._chance(0.2):
            return ""
        name = self._alias()
        if self._chance(0.3):
            self.ctes[name] = {"n": "int", "m": "int"}
            step = self.random.choice(["m", "NULL", "m + 1"])
            rounds = f"SELECT n + 1, {step} FROM {name} WHERE n < 3"
            return f"WITH RECURSIVE {name} (n, m) AS (SELECT 1, 2 UNION ALL {rounds}) "
        sql, columns = self.select(1)
        self.ctes[name] = columns
        return f"WITH {name} AS ({sql}) "

    # --- SELECT -------------------------------------------------------------------------------

    def select(self, depth: int, outer: Scope | None = None) -> tuple[str, dict[str, str]]:
        """Return a SELECT (or set operation) and its columns."""
        if depth > 0 and outer is None and self._chance(0.12):
            kinds = [self.random.choice(["int", "text", "net", "time"]) for _ in range(2)]
            others = ["text" if self._chance(0.3) else kind for kind in kinds]
            arms = [self._arm(kinds, depth - 1), self._arm(others, depth - 1)]
            word = self.random.choice(["UNION", "UNION ALL", "INTERSECT", "EXCEPT"])
            return f"({arms[0]}) {word} ({arms[1]})", {
                f"c{i}": kind for i, kind in enumerate(kinds)
            }
        tables, scope = self._from(depth)
        kinds = [
            self.random.choice(["int", "int", "text", "text", "dec", "time", "net", "clock"])
            for _ in range(self.random.randrange(1, 4))
        ]
        where = self._where({**(outer or {}), **scope}, 2) if self._chance(0.5) else ""
        form = self.random.random()
        if form < 0.15:
            return self._aggregated(tables, scope, where, kinds)
        if form < 0.3:
            return self._grouped(tables, scope, where, kinds)
        windows = outer is None and form < 0.4
        items = [
            self._window(scope, kind) if windows else self.expression(scope, kind, 2)
            for kind in kinds
        ]
        columns = {f"c{i}": kind for i, kind in enumerate(kinds)}
        shown = ", ".join(f"{item} AS c{i}" for i, item in enumerate(items))
        distinct = "DISTINCT " if self._chance(0.1) else ""
        tail = self.random.choice(
            ["", "", "", " LIMIT 1", " LIMIT 2 OFFSET 1", " ORDER BY 1 LIMIT 3"]
        )
        if self._chance(0.1):
            return f"SELECT {distinct}*FROM {tables}{self._commented(where)}{tail}", {}
        return f"SELECT {distinct}{shown} FROM {tables}{self._commented(where)}{tail}", columns

    def _commented(self, clause: str) -> str:
        """Put a clause into an executable comment sometimes, which has the same meaning."""
        if not clause or "*/" in clause or "\n" in clause or not self._chance(0.1):
            return clause
        return f" {self.random.choice(['/*!', '/*M!', '/*!50100'])}{clause} */"

    def _arm(self, kinds: list[str], depth: int) -> str:
        tables, scope = self._from(depth)
        shown = ", ".join(
            f"{self.expression(scope, kind, 1)} AS c{i}" for i, kind in enumerate(kinds)
        )
        where = self._where(scope, 1) if self._chance(0.5) else ""
        return f"SELECT {shown} FROM {tables}{where}"

    def _aggregated(
        self, tables: str, scope: Scope, where: str, kinds: list[str]
    ) -> tuple[str, dict[str, str]]:
        items = [
            self.expression(scope, kind, 1) if self._chance(0.2) else self._aggregate(scope, kind)
            for kind in kinds
        ]
        having = f" HAVING {self._aggregate(scope, 'int')} > 0" if self._chance(0.2) else ""
        having = self.parts.line(having) if having else ""
        shown = ", ".join(f"{item} AS c{i}" for i, item in enumerate(items))
        return f"SELECT {shown} FROM {tables}{where}{having}", {
            f"c{i}": k for i, k in enumerate(kinds)
        }

    def _grouped(
        self, tables: str, scope: Scope, where: str, kinds: list[str]
    ) -> tuple[str, dict[str, str]]:
        keys = [self.expression(scope, kind, 1) for kind in kinds[:2]]
        keys = [
            key
            if not key.lstrip("-").replace(".", "").isdigit() and key != "NULL"
            else f"({key} + 0)"
            for key in keys
        ]
        items = [*keys, *(self._aggregate(scope, kind) for kind in kinds)]
        items += [f"COALESCE({keys[0]}, 0)"] if self._chance(0.3) else []
        items += [self.expression(scope, "int", 1)] if self._chance(0.3) else []
        rollup = " WITH ROLLUP" if self._chance(0.25) else ""
        shown = ", ".join(f"{item} AS c{i}" for i, item in enumerate(items))
        columns = {f"c{i}": kind for i, kind in enumerate([*kinds[:2], *kinds])}
        grouping = self.parts.line(f" GROUP BY {', '.join(keys)}{rollup}", 0.3)
        return f"SELECT {shown} FROM {tables}{where}{grouping}", columns

    def _aggregate(self, scope: Scope, kind: str) -> str:
        inner = self.expression(scope, kind, 1)
        if kind == "int":
            form = self.random.choice(
                ["COUNT(*)", "COUNT({})", "SUM({})", "MAX({})", "MIN({})", "AVG({})",
                 "BIT_AND({})", "BIT_OR({})",
                 "COUNT(DISTINCT {})", "STD({})", "VAR_SAMP({})", "STDDEV_SAMP({})",
                 "VARIANCE({})", "SUM(DISTINCT {})",
                 "COALESCE(SUM({}), 0)", "SUM({}) + 1"]
            )  # fmt: skip
        elif kind == "text":
            form = self.random.choice(
                ["MAX({})", "MIN({})", "GROUP_CONCAT({})", "JSON_ARRAYAGG({})", "UPPER(MAX({}))"]
            )
        else:
            form = self.random.choice(
                ["MAX({})", "MIN({})", "AVG({})" if kind == "dec" else "MAX({})"]
            )
        return form.format(inner)

    def _window(self, scope: Scope, kind: str) -> str:
        inner = self.expression(scope, kind, 1)
        order = self.expression(scope, "int", 0)
        frame = self.random.choice(
            [
                "",
                "",
                "",
                " ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING",
                " ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING",
            ]
        )
        function = self.random.choice(
            ["ROW_NUMBER()", "RANK()", "DENSE_RANK()", "PERCENT_RANK()", "CUME_DIST()",
             "NTILE(2)", "LAG({})", "LEAD({}, 1)",
             "FIRST_VALUE({})", "LAST_VALUE({})", "NTH_VALUE({}, 2)", "SUM({})", "MIN({})",
             "MAX({})", "COUNT({})", "COUNT(*)",
             "AVG({})", "BIT_OR({})", "MEDIAN(1)",
             "PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY {})"]
        )  # fmt: skip
        if function[:4] in {"MEDI", "PERC"}:
            return f"{function.format(inner)} OVER (PARTITION BY {order})"
        ranks = not ("{}" in function and function[:4] not in {"LAG(", "LEAD", "NTIL"})
        spec = f"ORDER BY {order}{'' if ranks else frame}"
        part = f"PARTITION BY {self.expression(scope, 'text', 0)} " if self._chance(0.3) else ""
        return f"{function.format(inner)} OVER ({part}{spec})"

    # --- FROM ---------------------------------------------------------------------------------

    def _from(self, depth: int) -> tuple[str, Scope]:
        sql, scope = self._relation(depth)
        for _ in range(self.random.choice([0, 0, 1, 1, 2])):
            sql, scope = self._joined(sql, scope, depth)
        return sql, scope

    def _joined(self, sql: str, scope: Scope, depth: int) -> tuple[str, Scope]:
        right, theirs = self._relation(depth - 1)
        both = {**scope, **theirs}
        word = self.random.choice(
            ["JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", ",", "STRAIGHT_JOIN", "CROSS JOIN"]
        )
        if word == "," and self._chance(0.5):
            natural = f" NATURAL JOIN {self.random.choice('abce')} {self._alias()}"
            return f"{sql}, {right}{natural if self._chance(0.5) else ''}", both
        if word in {",", "CROSS JOIN"}:
            return (f"({sql}) CROSS JOIN {right}" if word != "," else f"({sql}) JOIN {right}"), both
        on = f"{self._column(scope, 'int') or '1'} = {self._column(theirs, 'int') or '1'}"
        if self._chance(0.3):
            on += self.parts.line(f" AND {self.condition(both, 1)}")
        shared = self._shared(scope, theirs)
        if shared and word != "STRAIGHT_JOIN" and self._chance(0.3):
            return f"{sql} {word} {right} USING ({shared})", both
        return f"{sql} {word} {right} ON {on}", both

    def _shared(self, scope: Scope, theirs: Scope) -> str:
        ours = [column for columns in scope.values() for column in columns]
        names = [c for columns in theirs.values() for c in columns if ours.count(c) == 1]
        return self.random.choice(names) if names and len(theirs) == 1 else ""

    def _relation(self, depth: int) -> tuple[str, Scope]:
        form = self.random.random()
        alias = self._alias()
        if depth > 0 and form < 0.2:
            sql, columns = self.select(depth - 1)
            if columns:
                return f"({sql}) {alias}", {alias: columns}
        if depth > 0 and form < 0.35:
            left, scope = self._relation(0)
            sql, scope = self._joined(left, scope, 0)
            return f"({sql})", scope
        if self.ctes and form < 0.5:
            name = self.random.choice(list(self.ctes))
            return f"{name} {alias}", {alias: self.ctes[name]}
        name = self.random.choice(["a", "a", "b", "b", "c", "d", "e", "e", "v", "va", "vr"])
        if name == "v" and self._chance(0.5):
            name_ = "v FOR SYSTEM_TIME " + self.random.choice(
                ["ALL", "AS OF NOW()", "BETWEEN '2000-01-01' AND NOW()"]
            )
            return f"{name_} {alias}", {alias: COLUMNS[name]}
        return f"{name} {alias}", {alias: COLUMNS[name]}

    def _column(self, scope: Scope, kind: str) -> str:
        fitting = [
            f"{a}.{c}"
            for a, columns in scope.items()
            for c, sort in columns.items()
            if sort == kind
        ]
        return self.random.choice(fitting) if fitting else ""

    # --- expressions ----------------------------------------------------------------------------

    def expression(self, scope: Scope, kind: str, depth: int) -> str:
        """Return an expression of a sort: int, text, dec or time."""
        column = self._column(scope, kind)
        if depth <= 0 or self._chance(0.3):
            return column or self.random.choice(_LITERALS[kind])
        form = self.random.randrange(13)
        if form == 0:
            return f"COALESCE({self._two(scope, kind, depth)})"
        if form == 12 and kind in {"int", "text", "time", "clock"}:
            word = self.random.choice(["COALESCE({}, {})", "IFNULL({}, {})", "IF(1, {}, {})"])
            return word.format(self.expression(scope, kind, depth - 1), self.parameter(kind))
        if form == 12 and kind == "net":
            return f"COALESCE({column or 'NULL'}, {self.expression(scope, 'text', depth - 1)})"
        if form == 1:
            return self._case(scope, kind, depth)
        if form == 2:
            return f"NULLIF({self._two(scope, kind, depth)})"
        if form == 3:
            word = self.random.choice(["GREATEST", "LEAST", "IFNULL"])
            return f"{word}({self._two(scope, kind, depth)})"
        if form == 4:
            return self._scalar(scope, kind)
        if form == 5:
            condition = self.condition(scope, depth - 1)
            yes, no = (self.expression(scope, kind, depth - 1) for _ in range(2))
            return f"IF({condition}, {yes}, {no})"
        if form == 6 and kind == "int":
            return f"({self._loose(scope, depth)})"
        if form == 7 and kind == "int":
            return f"({self.condition(scope, depth - 1)})"
        if form in {8, 9} and kind in {"int", "text"}:
            return self._converted(scope, kind, depth)
        template = self.random.choice(_ONE_TO_ONE[kind])
        inner = self.expression(scope, kind, depth - 1)
        return template.format(f"({inner})" if template[0] in "-~{" else inner)

    def _two(self, scope: Scope, kind: str, depth: int) -> str:
        return ", ".join(self.expression(scope, kind, depth - 1) for _ in range(2))

    def _converted(self, scope: Scope, kind: str, depth: int) -> str:
        template = self.random.choice(_TO_INT if kind == "int" else _TO_TEXT)
        inner = {
            "t": self.expression(scope, "text", depth - 1),
            "i": self.expression(scope, "int", depth - 1),
            "n": self.expression(scope, "dec", depth - 1),
            "d": self.expression(scope, "time", depth - 1),
            "p": self._column(scope, "net") or self.random.choice(_LITERALS["net"]),
            "c": self._column(scope, "clock") or self.random.choice(_LITERALS["clock"]),
        }
        inner = {key: value if key in "tpc" else f"({value})" for key, value in inner.items()}
        return template.format(**inner)

    def _case(self, scope: Scope, kind: str, depth: int) -> str:
        subject = self.expression(scope, kind, depth - 1)
        other = self.expression(scope, kind, depth - 1)
        form = self.random.randrange(5)
        if form == 0:
            return f"CASE WHEN {subject} IS NOT NULL THEN {subject} ELSE {other} END"
        if form == 1:
            return f"CASE WHEN {subject} IS NULL THEN {other} ELSE {subject} END"
        if form == 2:
            return f"CASE {subject} WHEN {other} THEN {subject} END"
        if form == 3:
            return f"CASE {subject} WHEN {other} THEN {subject} ELSE {other} END"
        return f"CASE WHEN {self.condition(scope, depth - 1)} THEN {subject} ELSE {other} END"

    def _loose(self, scope: Scope, depth: int) -> str:
        """Return operators without parentheses: the server's precedence must equal ours."""
        parts = [self.expression(scope, "int", 0) for _ in range(self.random.randrange(2, 5))]
        words = [
            "+",
            "-",
            "*",
            "=",
            "<=>",
            "<",
            "AND",
            "OR",
            "XOR",
            "&",
            "|",
            "<<",
            "IS NULL =",
            "IS NOT NULL AND",
            "<>",
        ]
        text = self.random.choice(["", "", "NOT ", "- ", "! "]) + parts[0]
        for part in parts[1:]:
            text += f" {self.random.choice(words)} {part}"
        return text + self.random.choice(
            ["", "", " IS NULL", " IS NOT NULL", " IS TRUE", " BETWEEN 0 AND 1", " IN (1, 2)"]
        )

    def _scalar(self, scope: Scope, kind: str) -> str:
        table = self.random.choice(["a", "b", "c", "d"])
        alias = self._alias()
        inner = {alias: COLUMNS[table]}
        both = {**scope, **inner}
        rest = f"FROM {table} {alias} WHERE {self.condition(both, 1)}"
        form = self.random.randrange(5)
        if form == 0 and kind == "int":
            return f"(SELECT COUNT(*) {rest})"
        if form == 1:
            return f"(SELECT MAX({self.expression(inner, kind, 1)}) {rest})"
        if form == 2:
            return f"(SELECT {self.expression(scope, kind, 1)})"
        if form == 3:
            fallback = self.random.choice(_LITERALS[kind])
            column = self.expression(inner, kind, 0)
            return f"(SELECT COALESCE(MAX({column}), {fallback}) FROM {table} {alias})"
        return f"(SELECT {self.expression(both, kind, 1)} {rest} LIMIT 1)"

    def condition(self, scope: Scope, depth: int) -> str:
        """Return a condition."""
        kind = self.random.choice(["int", "text", "int", "time", "dec"])
        left = self.expression(scope, kind, depth - 1)
        right = self.expression(scope, kind, depth - 1)
        maybe_not = self.random.choice(["", "NOT "])
        form = self.random.randrange(18 if depth > 0 else 7)
        if form <= 1:
            value = self.parameter(kind) if self._chance(0.1) and kind != "time" else right
            return f"{left} {self.random.choice(_COMPARE)} {value}"
        if form == 2:
            return f"{left} IS NOT NULL"
        if form == 3:
            return f"{left} IS NULL"
        if form == 4:
            return (
                f"{left} {maybe_not}BETWEEN {right} AND {self.expression(scope, kind, depth - 1)}"
            )
        if form == 5:
            return f"{left} {maybe_not}IN ({right}, {self.expression(scope, kind, depth - 1)})"
        if form == 6:
            text = self.expression(scope, "text", depth - 1)
            return f"{text} {self.random.choice(['LIKE', 'NOT LIKE', 'REGEXP'])} 'l%'"
        if form in {7, 8, 9}:
            word = {7: "AND", 8: "OR", 9: "XOR"}[form]
            return f"({self.condition(scope, depth - 1)} {word} {self.condition(scope, depth - 1)})"
        if form in {10, 11}:
            return f"NOT ({self.condition(scope, depth - 1)})"
        if form in {12, 13}:
            return self._sub_condition(scope, kind, left)
        if form == 14:
            truth = self.random.choice(["TRUE", "FALSE", "UNKNOWN"])
            return f"({self.condition(scope, depth - 1)}) IS {maybe_not}{truth}"
        if form == 15:
            other = self.expression(scope, kind, 0)
            word = self.random.choice(["=", "<>", "<", "IN"])
            row = f"({right}, {other})"
            return f"({left}, {other}) {word} {f'({row})' if word == 'IN' else row}"
        return f"{left} {self.random.choice(_COMPARE)} {right}"

    def _sub_condition(self, scope: Scope, kind: str, left: str) -> str:
        table = self.random.choice("abcd")
        alias = self._alias()
        inner = {alias: COLUMNS[table]}
        where = self.condition({**scope, **inner}, 1)
        column = self.expression(inner, kind, 0)
        form = self.random.choice(
            ["IN", "NOT IN", "= ANY", "<> ALL", "> ALL", "<= ALL", "EXISTS", "NOT EXISTS"]
        )
        if "EXISTS" in form:
            return f"{form} (SELECT 1 FROM {table} {alias} WHERE {where})"
        return f"{left} {form} (SELECT {column} FROM {table} {alias} WHERE {where})"
