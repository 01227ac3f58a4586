"""Hints for syntax of MySQL, SQLite, Oracle or SQL Server."""

from __future__ import annotations

from aiosqlc.analysis.advice import Place
from aiosqlc.parse.scanner import Kind

_UPSERT = "`INSERT … ON CONFLICT (key) DO UPDATE SET a = EXCLUDED.a`"


def postgres_advice(place: Place) -> str:
    """Return the PostgreSQL form of other databases' syntax, or an empty string if unknown."""
    return next((advice for rule in _RULES if (advice := rule(place))), "")


def conflict_advice(place: Place) -> str:
    """Return a hint for a column in ON CONFLICT DO UPDATE: write `t.name` or `excluded.name`."""
    words, name = place.words, place.said()
    if place.verb not in {"INSERT", "WITH"} or "CONFLICT" not in words[: place.at]:
        return ""
    into = words.index("INTO") + 1 if "INTO" in words else 0
    table = place.tokens[into].text if into else "t"
    return f"write `{table}.{name}` for the existing row, and `excluded.{name}` for the new one"


def _names_and_lists(place: Place) -> str:
    """Detect names in backticks, list parameters such as `IN @ids`, and similar syntax."""
    word, before = place.word(), place.word(-1)
    if any("`" in token.text for token in place.tokens if token.kind is Kind.OPERATOR):
        return 'remove the backticks (MySQL syntax); put a reserved word in double quotes: `"…"`'
    if before == "IN" and word.startswith(("@", "$", "SQLC")) and place.verb != "CREATE":
        return f"to compare with a list, write `= ANY({_written(place)})`"
    if place.word(-1) == "AS" and (token := place.token()) and token.kind is Kind.STRING:
        return f'put a name in double quotes: `AS "{token.text[1:-1]}"`'
    if word == "{" and (key := place.token(1)) and key.kind is Kind.STRING:
        return f"to build a JSON object, write `jsonb_build_object({key.text}, …)`"
    if before in {"ANY", "ALL", "SOME"} and word.startswith(("@", "$")):
        return f"write `{before}({_written(place)})`"
    return ""


def _operators(place: Place) -> str:
    """Detect operators of other databases."""
    word = place.word()
    if word in {"REGEXP", "RLIKE"}:
        return "to match a regular expression, write `~`, or `~*` to ignore case"
    return ""


def _statements(place: Place) -> str:
    """Detect statements that PostgreSQL does not have."""
    word, before, words = place.word(), place.word(-1), place.words
    if place.verb in {"DESCRIBE", "DESC"}:
        return "`information_schema.columns` lists the columns of a table"
    if place.verb == "REPLACE":
        return f"PostgreSQL does not support REPLACE: write {_UPSERT}"
    if place.verb == "INSERT" and words[1:2] in (["IGNORE"], ["OR"]):
        if words[1:3] == ["OR", "REPLACE"]:
            return f"write {_UPSERT}"
        return "write `INSERT INTO … ON CONFLICT DO NOTHING`"
    if "DUPLICATE" in {word, before} and "KEY" in words:
        return f"write {_UPSERT}"
    if word == "SET" and words[:2] == ["INSERT", "INTO"]:
        return "`INSERT … SET` is MySQL syntax: write `INSERT INTO t (a, b) VALUES (1, 2)`"
    if place.verb == "UPSERT":
        return f"write {_UPSERT}"
    if "VALUES" in {word, before} and "CONFLICT" in words[: place.at]:
        column = place.said(1) if word == "(" else place.said(2)
        return f"write `excluded.{column}`"
    if word == "RETURNING" and place.verb in {"SELECT", "WITH", "VALUES"}:
        return "`RETURNING` belongs to INSERT, UPDATE and DELETE: write the columns behind SELECT"
    if word == "OUTPUT":
        return "write `RETURNING id` at the end"
    if word == "INDEX" and before in {"USE", "FORCE", "IGNORE"}:
        return (
            "remove the hint: PostgreSQL does not support index hints, because the planner "
            "chooses the index"
        )
    if word == "VALUE" and place.verb == "INSERT":
        return "write `VALUES`"
    return ""


def _changes(place: Place) -> str:
    """Detect UPDATE and DELETE in MySQL's syntax."""
    word, before, words = place.word(), place.word(-1), place.words
    changed = place.verb == "UPDATE" and "SET" in words[: place.at]
    if word in {"LIMIT", "ORDER"} and (changed or (place.verb == "DELETE" and place.at > 2)):
        return (
            f"PostgreSQL has no {word} here: select the rows with"
            " `WHERE id IN (SELECT id … LIMIT …)`"
        )
    if place.verb == "UPDATE" and "SET" not in words[: place.at] and _joined(place):
        return "an UPDATE takes other tables from `FROM`: write `UPDATE t SET … FROM other WHERE …`"
    if (
        place.verb == "DELETE"
        and before == "DELETE"
        and word not in {"FROM", "*"}
        and "FROM" in words
    ):
        return "write `DELETE FROM t USING other WHERE …`"
    if place.verb == "DELETE" and _joined(place):
        return "write `DELETE FROM t USING other WHERE …`"
    return ""


def _expressions(place: Place) -> str:
    """Detect expressions of other databases."""
    word, before, words = place.word(), place.word(-1), place.words
    if before == "INTERVAL" and place.is_number():
        return f"write `INTERVAL '{place.said()} {place.said(1).lower()}'`"
    if word in {"AUTO_INCREMENT", "AUTOINCREMENT"}:
        return "write `bigint GENERATED ALWAYS AS IDENTITY`"
    if word == "DIV":
        return "to divide integers, write `/`"
    if word == "XOR":
        return "write `<>` between the two conditions"
    if word == "=" and {"&&", "||"} & set(words):
        sign = "&&" if "&&" in words else "||"
        return f"join conditions with `{'AND' if sign == '&&' else 'OR'}`, not with `{sign}`"
    if word == "SEPARATOR":
        return "write `string_agg(a, ',')`"
    if "STRAIGHT_JOIN" in {word, before}:
        return "write `JOIN`"
    return ""


def _joined(place: Place) -> bool:
    return place.word() in {"JOIN", "LEFT", "INNER", "RIGHT", ","} or place.word(-1) in {
        "JOIN",
        "INNER",
        "LEFT",
    }


def _written(place: Place) -> str:
    """Return a parameter as the user wrote it: `@ids`, although it is two tokens."""
    return place.said() + (place.said(1) if place.said() == "@" else "")


_RULES = (_names_and_lists, _operators, _statements, _changes, _expressions)
