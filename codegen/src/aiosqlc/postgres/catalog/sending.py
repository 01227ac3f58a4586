"""Find the notifications that a PL/pgSQL body sends, if the body is simple enough.

The server has no parse tree of such a body. The compiler follows the body for one event of its
trigger, and replaces each variable by the expression that was assigned to it. A condition on TG_OP
selects a branch. For any other condition, both branches are followed. The calls of pg_notify are
then queries over NEW and OLD. A body with loops, EXECUTE or other statements is not supported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from aiosqlc.parse.scanner import Kind, Token, code_tokens, unquote
from aiosqlc.postgres.catalog.words import NotUnderstoodError, Words, folded

_SKIPPED: Final = frozenset({"RAISE", "ASSERT", "NULL"})
_QUERIES: Final = frozenset({"INSERT", "UPDATE", "DELETE", "SELECT"})
_AFTER_TYPE: Final = frozenset({"COLLATE", "NOT", "DEFAULT", ":=", "="})
_ROWS: Final = frozenset({"new", "old"})
_MOST_PATHS = 64
_LONGEST = 100_000  # characters; texts that contain each other grow exponentially
_TYPE_OF = "the compiler does not look up %TYPE and %ROWTYPE"
# Words in whose presence AND, OR and parentheses may not be those of the condition itself.
_BEYOND: Final = frozenset({
    "CASE", "BETWEEN", "SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET",
    "FETCH", "WINDOW", "UNION", "INTERSECT", "EXCEPT", "VALUES", "TABLE", "WITH", "INTO", "[", ",",
})  # fmt: skip

Values = Mapping[str, str]
"""The SQL expressions for the values of a PL/pgSQL body's variables, by variable name."""


class Setting(Struct, frozen=True):
    """The names that a PL/pgSQL body can refer to.

    `values` has the SQL texts of its parameters and special variables, by name. `rows` is the FROM
    clause with the rows NEW and OLD, or empty. `event` is the value of TG_OP, or empty. `numbered`
    is the number of parameters in the texts. `hidden` are names that mean something else in the
    body than in a query. A body that uses such a name is not supported.
    """

    values: Values
    rows: str = ""
    event: str = ""
    numbered: int = 0
    hidden: frozenset[str] = frozenset()


def names_channel(body: str, channel: str) -> bool:
    """Return whether a body contains a channel's name in a constant or in a NOTIFY statement.

    The constant may also be the text of a statement: `EXECUTE 'NOTIFY orders'`.
    """
    tokens = Words(body).tokens
    texts = ["", *(token.text.upper() for token in tokens)]
    statement = re.compile(rf"notify\b.*\b{re.escape(channel)}\b", re.IGNORECASE | re.DOTALL)
    return any(
        before == "NOTIFY" and unquote(token) == channel
        if token.kind is not Kind.STRING
        else unquote(token) == channel or statement.search(token.text)
        for before, token in zip(texts, tokens, strict=False)
    )


def computes_channel(body: str) -> bool:
    """Return whether a body calls pg_notify with a channel that is not a constant."""
    tokens = Words(body).tokens
    return any(
        unquote(token).lower() == "pg_notify"
        and [found.kind is Kind.STRING or found.text for found in tokens[at + 1 : at + 4]]
        != ["(", True, ","]
        for at, token in enumerate(tokens)
        if token.kind in (Kind.NAME, Kind.QUOTED)
    )


def names_new(body: str, columns: Container[str]) -> bool:
    """Return whether a body reads one of these columns of NEW or OLD, or a whole row."""
    names = [*map(_looked_up, Words(body).tokens), "", ""]
    return any(
        name in _ROWS and (not names[at + 2] or names[at + 2] in columns)
        for at, name in enumerate(names[:-2])
    )


def queries_sent(body: str, setting: Setting) -> tuple[str, ...]:
    """Return a body's queries that call pg_notify.

    Raise `NotUnderstoodError` if the body is not supported.
    """
    reader = _Reader(body, setting.values)
    steps = reader.block()
    reader.optional(";")
    if reader.at != len(reader.tokens) or reader.calls != _calls(reader.tokens):
        raise NotUnderstoodError
    if any(_looked_up(token) in setting.hidden for token in reader.tokens):
        raise NotUnderstoodError
    run = _Run(body, setting, reader.types)
    run.follow(steps, [dict(setting.values)])
    return tuple(run.found)


class _Step(Struct, frozen=True):
    """A statement of a PL/pgSQL body.

    `kind` is "assign", "call", "read" (a query with INTO `names`), "if" or "return". At the end of
    a block, "forget" removes the variables `names`.
    `tokens` are the expression or the condition, and `inner` are the statements of each branch.
    """

    kind: str
    tokens: Sequence[Token] = ()
    names: tuple[str, ...] = ()
    inner: tuple[tuple[_Step, ...], ...] = ()


def _calls(tokens: Sequence[Token]) -> int:
    """Return how many calls of pg_notify a body, or a part of a body, contains."""
    return sum(unquote(token).lower() == "pg_notify" for token in tokens)


def _looked_up(token: Token) -> str:
    """Return the name that a token means, or '' if it is not a name."""
    if token.kind not in (Kind.NAME, Kind.QUOTED):
        return ""
    return token.text.lower() if token.kind is Kind.NAME else unquote(token)


def _changes(steps: Sequence[_Step]) -> bool:
    """Return whether one of the statements changes a variable or leaves the body."""
    return any(
        step.kind in {"assign", "read", "return"} or any(map(_changes, step.inner))
        for step in steps
    )


class _Reader(Words):
    """Reads the statements of a body; `types` are the types of the body's variables.

    `taken` are names that no variable may have. `calls` counts the calls of pg_notify by PERFORM,
    so that calls in other places are detected.
    """

    def __init__(self, body: str, taken: Container[str]) -> None:
        super().__init__(body)
        self.taken = taken
        self.types: dict[str, str] = {}
        self.calls = 0

    def block(self) -> tuple[_Step, ...]:
        declared: list[_Step] = []
        if self.optional("DECLARE"):
            while not self.optional("BEGIN"):
                declared.append(self.declaration())
        else:
            self.expect("BEGIN")
        steps = self.statements("END", "EXCEPTION")
        if self.optional("EXCEPTION"):
            self.handlers(steps)
        self.expect("END")
        names = tuple([name for step in declared for name in step.names])
        return (*declared, *steps, _Step("forget", names=names))

    def handlers(self, steps: Sequence[_Step]) -> None:
        """Read the exception handlers of a block whose statements are `steps`.

        A handler runs after only some of the statements. So a handler must leave the body, or
        `steps` must change nothing that a later statement reads. The notifications of the block are
        rolled back.
        """
        while self.optional("WHEN"):
            self.until("THEN")
            handled = self.statements("END", "WHEN")
            if any(step.kind != "return" for step in handled) or (not handled and _changes(steps)):
                raise NotUnderstoodError

    def declaration(self) -> _Step:
        name = folded(self.next())
        tokens = [token for token in self.until(";") if token.text.upper() != "CONSTANT"]
        words = [token.text.upper() for token in tokens]
        end = next((at for at, word in enumerate(words) if word in _AFTER_TYPE), len(tokens))
        given = [at for at, word in enumerate(words) if word in {"DEFAULT", ":=", "="}]
        if "%" in words[:end]:
            raise NotUnderstoodError(_TYPE_OF)
        known = name in self.types or name in _ROWS or name in self.taken
        if not end or known or {"ALIAS", "CURSOR"} & {*words[:end]}:
            raise NotUnderstoodError
        self.types[name] = self.body[tokens[0].start : tokens[end - 1].end]
        return _Step("assign", tokens[given[0] + 1 :] if given else (), (name,))

    def statements(self, *ends: str) -> tuple[_Step, ...]:
        found: list[_Step] = []
        while self.word() not in ends:
            found += self.statement()
        return tuple(found)

    def statement(self) -> tuple[_Step, ...]:
        word = self.word()
        if self.assigns:
            name = folded(self.next())
            if name not in self.types or self.next().text not in {":=", "="}:
                raise NotUnderstoodError
            return (_Step("assign", self.until(";"), (name,)),)
        if word in {"BEGIN", "DECLARE"}:
            steps = self.block()
            self.expect(";")
            return steps
        if word == "IF":
            return (self.branches(),)
        if word == "RETURN":
            if {token.text.upper() for token in self.until(";")[1:2]} & {"NEXT", "QUERY"}:
                raise NotUnderstoodError
            return (_Step("return"),)
        if word == "PERFORM":
            self.next()
            tokens = self.until(";")
            self.calls += _calls(tokens)
            return (_Step("call", tokens),)
        if word in _SKIPPED:
            self.until(";")
            return ()
        if word in _QUERIES:
            return (self.query(),)
        raise NotUnderstoodError

    def branches(self) -> _Step:
        """Read an IF; an ELSIF becomes an IF in the ELSE branch."""
        self.next()
        condition = self.until("THEN")
        then = self.statements("ELSIF", "ELSEIF", "ELSE", "END")
        if self.word() in {"ELSIF", "ELSEIF"}:
            return _Step("if", condition, inner=(then, (self.branches(),)))
        other = self.statements("END") if self.optional("ELSE") else ()
        self.expect("END")
        self.expect("IF")
        self.expect(";")
        return _Step("if", condition, inner=(then, other))

    def query(self) -> _Step:
        """Read a statement that sends no notification; it may store its result in variables."""
        tokens = self.until(";")
        words = [token.text.upper() for token in tokens]
        names: list[str] = []
        for place, word in enumerate(words):
            if word != "INTO" or (place == 1 and words[0] == "INSERT"):
                continue
            rest = [token for token in tokens[place + 1 :] if token.text.upper() != "STRICT"]
            while rest:
                names.append(folded(rest.pop(0)))
                if not rest or rest.pop(0).text != ",":
                    break
        if any(name not in self.types for name in names):
            raise NotUnderstoodError
        return _Step("read", names=tuple(names))


class _Run(Struct):
    """Follows all branches of a PL/pgSQL body; `found` collects the queries that call pg_notify."""

    body: str
    setting: Setting
    types: Mapping[str, str]
    found: dict[str, None] = field(default_factory=dict)
    numbered: int = 0

    def follow(self, steps: Sequence[_Step], states: list[dict[str, str]]) -> list[dict[str, str]]:
        """Return the variables' values after `steps`: one mapping for each path through the steps.

        Each of the `states` is such a mapping before `steps`.
        """
        for step in steps:
            if step.kind == "return":
                return []
            following: list[dict[str, str]] = []
            for state in states:
                following += [new for new in self.step(step, state) if new not in following]
            states = following
            if len(states) > _MOST_PATHS:
                raise NotUnderstoodError
        return states

    def step(self, step: _Step, state: dict[str, str]) -> list[dict[str, str]]:
        if step.kind == "assign":
            [name] = step.names
            text = self.text(step.tokens, state) if step.tokens else "NULL"
            return [{**state, name: f"(({text})::{self.types[name]})"}]
        if step.kind == "read":
            return [state | {name: self.unknown(name) for name in step.names}]
        if step.kind == "if":
            holds = self.decide(step.tokens)
            taken = [inner for inner, when in zip(step.inner, (True, False), strict=True)
                     if holds is None or holds is when]  # fmt: skip
            return [found for inner in taken for found in self.follow(inner, [state])]
        if step.kind == "forget":
            return [{name: text for name, text in state.items() if name not in step.names}]
        if step.kind == "call":
            self.call(step.tokens, state)
        return [state]

    def unknown(self, name: str) -> str:
        """Return the SQL of a new query parameter, in place of a variable of unknown value."""
        self.numbered += 1
        return f"(${self.setting.numbered + self.numbered}::{self.types[name]})"

    def call(self, tokens: Sequence[Token], state: Values) -> None:
        if not _calls(tokens):
            return
        text, rows = f"SELECT {_numbered(self.text(tokens, state))}", self.setting.rows
        if rows and any(token.text.upper() in {"FROM", "WHERE"} for token in tokens):
            text = f"SELECT 1 FROM {rows} CROSS JOIN LATERAL ({text}) AS sent"  # noqa: S608 - it is analysed, never run
        elif rows:
            text += f" FROM {rows}"
        self.found[text] = None

    def text(self, tokens: Sequence[Token], state: Values) -> str:
        """Return an expression in which the values of variables replace the variables."""
        if not tokens:
            raise NotUnderstoodError
        texts = [token.text for token in tokens]
        pieces, end = [], tokens[0].start
        for token, before, after in zip(tokens, ["", *texts], [*texts[1:], ""], strict=False):
            pieces.append(self.body[end : token.start])
            name = folded(token) if token.kind in (Kind.NAME, Kind.QUOTED) else token.text
            known = name in state and before != "." and after not in {"(", "=>"}
            if known and after == ".":
                raise NotUnderstoodError
            pieces.append(state[name] if known else token.text)
            end = token.end
        if sum(map(len, pieces)) > _LONGEST:
            raise NotUnderstoodError
        return "".join(pieces)

    # --- conditions on TG_OP ----------------------------------------------------------------------

    def decide(self, tokens: Sequence[Token]) -> bool | None:
        """Return whether a condition is true for the event in TG_OP, or None if this is unknown."""
        if not self.setting.event or _is_beyond(tokens):
            return None
        return _any(_split(tokens, "OR", self.all_of))

    def all_of(self, tokens: Sequence[Token]) -> bool | None:
        found = _any(_split(tokens, "AND", self.not_atom))
        return None if found is None else not found

    def not_atom(self, tokens: Sequence[Token]) -> bool | None:
        words = [token.text.upper() for token in tokens]
        if words[:1] == ["("] and words[-1:] == [")"] and _closes(words) == len(words) - 1:
            inside = self.decide(tokens[1:-1])
            return None if inside is None else not inside
        if words[:3] == ["TG_OP", "IN", "("] and words[-1] == ")":
            operator, listed = "=", tokens[3:-1]
        else:
            operator, listed = "".join(words[1:2]), tokens[2:3] if len(tokens) == 3 else ()
        labels, between = listed[::2], {token.text for token in listed[1::2]}
        if words[:1] != ["TG_OP"] or len(listed) % 2 == 0 or between - {","}:
            return None
        if any(token.kind is not Kind.STRING or token.text[0] != "'" for token in labels):
            return None
        among = self.setting.event in {unquote(token) for token in labels}
        return {"=": not among, "<>": among, "!=": among}.get(operator)


def _numbered(text: str) -> str:
    """Return an expression whose parameters are numbered without gaps, as the server requires."""
    numbers: dict[str, int] = {}
    pieces, end = [], 0
    for token in code_tokens(text):
        if token.kind is Kind.PARAM:
            number = numbers.setdefault(token.text, len(numbers) + 1)
            pieces += [text[end : token.start], f"${number}"]
            end = token.end
    return "".join([*pieces, text[end:]])


def _is_beyond(tokens: Sequence[Token]) -> bool:
    """Return whether a condition contains a word, such as BETWEEN, that changes what AND means."""
    depth = 0
    before = ""
    for token in tokens:
        word = token.text.upper()
        depth += (word == "(") - (word == ")")
        field = before == "." and word in {"AND", "OR"}
        if depth == 0 and (field or (word in _BEYOND and (before, word) != ("DISTINCT", "FROM"))):
            return True
        before = word
    return False


def _split(
    tokens: Sequence[Token], word: str, of: Callable[[Sequence[Token]], bool | None]
) -> list[bool | None]:
    """Split a condition at the operator `word`, and return the result of `of` for each operand.

    An operator inside parentheses does not count.
    """
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and token.text.upper() == word:
            parts.append([])
        else:
            parts[-1].append(token)
    return [of(part) for part in parts]


def _any(values: Sequence[bool | None]) -> bool | None:
    if True in values:
        return True
    return None if None in values else False


def _closes(words: Sequence[str]) -> int:
    """Return the index of the parenthesis that closes the first parenthesis."""
    depth = 0
    for at, word in enumerate(words):
        depth += (word == "(") - (word == ")")
        if depth == 0:
            return at
    return -1
