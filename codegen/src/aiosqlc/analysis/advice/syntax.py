"""Hints for syntax errors. A server reports the word at which its parser stopped, not the cause.

Each rule looks at the words around this position, and returns '' if it finds no mistake. Rules
with certain results come before rules that guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from aiosqlc.analysis.advice.foreign import foreign_advice
from aiosqlc.analysis.advice.forms import form_advice
from aiosqlc.analysis.advice.habits import habit_advice
from aiosqlc.analysis.advice.lookalikes import lookalike_advice
from aiosqlc.analysis.advice.place import CLAUSES, Place
from aiosqlc.analysis.advice.tables import table_advice
from aiosqlc.messages.suggest import nearest
from aiosqlc.parse.reserved import is_reserved
from aiosqlc.parse.scanner import LEXES, Kind, Token
from aiosqlc.source import Dialect

_KEYWORDS: Final = frozenset(
    (
        *("select", "from", "where", "group", "order", "having", "limit", "offset", "returning"),
        *("insert", "into", "values", "update", "delete", "with", "distinct", "between", "exists"),
        *("join", "left", "right", "inner", "outer", "full", "cross"),
        *("union", "intersect", "except", "desc", "like", "ilike"),
    )
)
_OBJECTS = frozenset({"FUNCTION", "INDEX", "SCHEMA", "SEQUENCE", "TRIGGER", "TYPE", "VIEW"})
# Short keywords whose misspellings are recognized by their letters alone.
_SHORT = ("and", "asc", "set", "end", "not")
_SHORTEST = 4  # a shorter word resembles too many other words
_BEFORE_A_NAME = frozenset({"from", "join", "into", "update", "as", ",", ".", "table"})
# Keywords that are followed by a name.
_NAME_FOLLOWS = frozenset(
    {"FROM", "JOIN", "INTO", "UPDATE", "TABLE", "SELECT", "DISTINCT", "WHERE", "AND", "OR", "NOT"}
    | {",", "(", ".", "=", "<", ">", "<=", ">=", "<>", "!=", "+", "-", "*", "/", "SET", "BY", "ON"}
    | {"AS", "HAVING", "RETURNING", "WHEN", "THEN", "ELSE", "ONLY"}
)
_OPERAND_FOLLOWS = frozenset({"=", "<", ">", "<=", ">=", "<>", "!=", ".", ",", ")", "IS", "AS"})
# Tokens that end a list.
_ENDS_A_LIST = frozenset({")", ";", *CLAUSES})
_ORDER = ("FROM", "WHERE", "GROUP BY", "HAVING", "ORDER BY", "LIMIT")
_CLAUSE_NAMES = {name.partition(" ")[0]: name for name in _ORDER}

Rule = Callable[[Place], str]


def syntax_advice(place: Place, own: Rule) -> str:
    """Return a correction for a query with a syntax error, or an empty string if none is known.

    `own` returns the correction for syntax that only this engine has.
    """
    shared = (habit_advice, form_advice, table_advice)
    rules = (lookalike_advice, foreign_advice, own, *shared, *_RULES)
    return next((advice for rule in rules if (advice := rule(place))), "")


def quoted(name: str, dialect: Dialect) -> str:
    """Quote a name as an identifier of the engine, and enclose the result in backticks."""
    inside = name.join(LEXES[dialect].quotes)
    return f"`` {inside} ``" if "`" in inside else f"`{inside}`"


def _reserved(place: Place) -> str:
    """Detect `SELECT id, order FROM t`: a reserved word used as a name."""
    for here in (place, place.moved(-1)):  # MySQL sometimes reports the word after `order`
        if _is_reserved_name(here):
            name = here.said()
            return (
                f"`{name}` is a reserved word: to use the word as a name, write "
                f"{quoted(name, place.dialect)}"
            )
    return ""


def _is_reserved_name(place: Place) -> bool:
    token = place.token()
    if token is None or token.kind is not Kind.NAME or place.word() in _NEVER_NAMES:
        return False
    if not is_reserved(token.text, place.dialect):
        return False
    before, after = place.word(-1), place.word(1)
    if place.verb == "CREATE" and before in {"(", ","} and place.is_name(1):
        return place.word() not in _IN_TABLES  # a column with its type
    if place.verb in {"CREATE", "DROP", "ALTER"} and before == "EXISTS":
        return True
    if before not in _NAME_FOLLOWS:
        return False
    if before == "." or before in {"FROM", "JOIN", "INTO", "UPDATE", "TABLE"}:
        return place.word() not in {"SELECT", "VALUES", "SET", "WHERE", "LATERAL", "ONLY"}
    if before == "," and place.clause == "FROM":
        return place.word() not in CLAUSES or after not in {"", "BY"}
    if place.word() in _OPENERS:
        return after in _OPERAND_FOLLOWS or after == "FROM"
    return after in _OPERAND_FOLLOWS or after in {"", "FROM", "DESC", "ASC"}


_IN_TABLES = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "LIKE", "SELECT"})
_NEVER_NAMES = frozenset({"AND", "OR", "NOT", "NULL", "TRUE", "FALSE", "DISTINCT", "AS", "BY"})
# Words that start a clause or an expression. They are names only if nothing follows as in a clause.
_OPENERS = frozenset({*CLAUSES, "CASE", "ALL", "EXISTS", "INTERVAL", "WHEN", "ELSE", "THEN"})


def _commas(place: Place) -> str:
    if place.word(-1) == "," and place.word() == ",":
        return "remove the second comma, or write the missing item between the commas"
    if place.word(-1) == "," and (place.word() in _ENDS_A_LIST or not place.word()):
        word = f"`{place.said()}`" if place.said() else "the end"
        return f"remove the comma before {word}, or write the missing item between them"
    return ""


def _missing_comma(place: Place) -> str:
    """Detect two items without a comma: `SELECT id email`, `(email name)`, `SET a = 1 b = 2`."""
    token = place.token()
    if token is None or token.kind not in {Kind.NAME, Kind.QUOTED, Kind.STRING, Kind.NUMBER}:
        return ""
    if is_reserved(token.text, place.dialect) or place.word(-1) in _NAME_FOLLOWS:
        return ""
    clause, before = place.clause, place.token(-1)
    if before is None or before.kind is Kind.OPERATOR or place.word(-1) in CLAUSES:
        return ""
    assigned = clause == "SET" and place.word(1) == "=" and place.verb in {"UPDATE", "INSERT"}
    listed = clause == "(" and _is_list(place) and place.word(1) in {",", ")"}
    selected = clause == "SELECT" and place.word(1) in {",", "FROM", ""} and place.word(-2) != "AS"
    return f"a comma is missing before `{place.said()}`" if assigned or listed or selected else ""


def _is_list(place: Place) -> bool:
    """Return whether a position is in the parentheses after VALUES, IN or the table of INSERT."""
    opened = place.above()[-1][0]
    head = place.words[max(0, opened - 3) : opened]
    return head[-1:] in (["VALUES"], ["IN"]) or head[-2:-1] == ["INTO"] or head[-3:-2] == ["INTO"]


def _missing_words(place: Place) -> str:
    """Detect a missing keyword before a position: BY, SET, AND, ON, END, FROM, INTO."""
    word, before = place.word(), place.word(-1)
    for verb, needed in (("DELETE", "FROM"), ("INSERT", "INTO")):
        if before == verb and word in _OBJECTS:
            return f"write `DROP {word} {place.said(1)}`"
        if before == verb and place.is_name() and not is_reserved(word, place.dialect):
            return f"write `{verb} {needed} {place.said()}`"
    if before in {"GROUP", "ORDER", "PARTITION"} and place.is_name():
        return f"`{before}` is followed by `BY`: write `{before} BY {place.said()}`"
    if place.verb == "UPDATE" and "SET" not in place.words:
        step = -1 if word == "=" else 0
        table = [item.lower() for item in place.words[1 : max(place.at + step, 2)]]
        if not word:
            return f"write `SET` and the new values after `{before.lower()}`"
        return f"write `SET` before `{place.said(step)}`" if table else ""
    if word == "WHERE" and place.clauses[:1] == ["WHERE"]:
        return "a query has one WHERE: write `AND` between its conditions"
    if word in {"WHERE", "GROUP", "ORDER", "LIMIT", "JOIN", "LEFT", ""} and _joins(place):
        return (
            "a JOIN needs a condition: write `ON a.id = b.a_id` after the table, or write `CROSS "
            "JOIN`"
        )
    if word == "ON" and "JOIN" not in place.clauses:
        return (
            "`ON` is only valid after a JOIN: write `WHERE` instead, or write `JOIN` before the "
            "table"
        )
    if word in {"FROM", ")", ""} and _cases(place):
        return "a `CASE` is not closed: write `END` after the last value"
    if word == "NULL" and before == "NOT" and place.is_name(-2):
        return "write `IS NOT NULL`"
    if word == "NOT" and place.word(1) == "NULL":
        return "write `IS NOT NULL`"
    if before in {"IS", "NOT"} and "IS" in {before, place.word(-2)}:
        return "only NULL, TRUE or FALSE can follow `IS`: compare values with `=` or `<>`"
    return ""


def _joins(place: Place) -> bool:
    """Return whether a joined table without a condition precedes a position."""
    for _, word in place.above():
        if word in {"ON", "USING", "(", "CROSS", "NATURAL", ",", "WHERE", "SELECT"}:
            return False
        if word == "JOIN":
            at = max(index for index, word in place.above() if word == "JOIN")
            return place.words[at - 1] not in {"CROSS", "NATURAL"}
    return False


def _cases(place: Place) -> bool:
    above = [word for _, word in place.above()]
    return above.count("CASE") > above.count("END")


def _clause_order(place: Place) -> str:
    """Detect `ORDER BY id WHERE …`: clauses in the wrong order."""
    word = place.word()
    if word not in _CLAUSE_NAMES:
        return ""
    rank = list(_CLAUSE_NAMES).index(word)
    later: list[str] = []
    for clause in place.clauses:
        if clause in {"SELECT", "UNION", "INTERSECT", "EXCEPT", "UPDATE", "DELETE"}:
            break
        if clause in _CLAUSE_NAMES and list(_CLAUSE_NAMES).index(clause) > rank:
            later.append(_CLAUSE_NAMES[clause])
    if not later:
        return ""
    advice = f"`{_CLAUSE_NAMES[word]}` stands before `{later[-1]}`"
    if word == "WHERE" and "GROUP BY" in later:
        advice += "; write a condition on groups in `HAVING`"
    return advice


def _missing_operand(place: Place) -> str:
    """Return a hint for a missing operand, as in `WHERE` or `AND AND`."""
    before = place.word(-1)
    if before in {"AND", "OR", "WHERE", "HAVING", "ON"}:
        if place.word() in {"AND", "OR"}:
            return f"remove `{place.said()}`, because there is no condition before it"
        if not place.word() or place.word() in {"GROUP", "ORDER", "LIMIT", "RETURNING", ")"}:
            return f"write a condition after `{before}`, or remove `{before}`"
    return ""


def _misspelt(place: Place) -> str:
    """Detect a misspelled keyword at a position, or before it if the server read it as an alias."""
    if place.verb == "ALTER" or place.words[:2] in (["CREATE", "TABLE"], ["CREATE", "INDEX"]):
        return ""
    above = place.tokens[: place.at + 1]
    candidates: list[Token] = list(above[-1:])
    candidates += [
        token for ahead, token in pairwise(above[-3:-1]) if ahead.text.lower() not in _BEFORE_A_NAME
    ]
    for token in candidates:
        word = token.text.lower()
        for short in _SHORT:
            if sorted(word) == sorted(short) and word != short and token is above[-1]:
                return f"did you mean `{short.upper()}` instead of `{token.text}`?"
        if token.kind is not Kind.NAME or len(word) < _SHORTEST or word in _KEYWORDS:
            continue
        if is_reserved(word, place.dialect) or word == "describe":
            continue
        if found := nearest(word, _KEYWORDS):
            return f"did you mean `{found.upper()}` instead of `{token.text}`?"
    return ""


def _open_bracket(place: Place) -> str:
    """Return a hint that names the unmatched bracket."""
    waiting: list[Token] = []
    for token in place.tokens:
        if token.text == "(":
            waiting.append(token)
        elif token.text == ")" and not waiting:
            return "this `)` does not have a matching `(`"
        elif token.text == ")":
            waiting.pop()
    if not waiting:
        return ""
    start = waiting[-1].start
    line = place.text.count("\n", 0, start) + 1
    column = start - (place.text.rfind("\n", 0, start) + 1) + 1
    return f"the `(` in line {line}, column {column}, is not closed"


def _text_as_name(place: Place) -> str:
    """Detect `FROM 'account'`: a string in place of a table name."""
    token = place.token()
    if token is None or token.kind is not Kind.STRING or len(token.text) < len("'a'"):
        return ""
    if place.word(-1) not in {"FROM", "JOIN", "INTO", "UPDATE", "."}:
        return ""
    name = token.text[1:-1]
    kind = quoted(name, place.dialect)
    marks = f"remove the `{token.text[0]}` around the name"
    return f"{marks}: write `{name}`, or {kind} if the name needs quotes"


_RULES: Sequence[Rule] = (
    _reserved,
    _commas,
    _text_as_name,
    _missing_words,
    _clause_order,
    _missing_operand,
    _misspelt,
    _missing_comma,
    _open_bracket,
)
