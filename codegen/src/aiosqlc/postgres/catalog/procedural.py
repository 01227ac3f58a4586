"""Find the values that a PL/pgSQL body returns, if the body is simple enough.

The server has no parse tree of such a body. The parser supports only bodies whose statements assign
no parameter. In such a body, each RETURN is a query over the parameters.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from msgspec import Struct

from aiosqlc.parse.scanner import Kind, Token
from aiosqlc.postgres.catalog.words import NotUnderstoodError, Words, folded

# Variables that a block has besides the declared ones.
_SPECIAL: Final = frozenset({"found", "sqlstate", "sqlerrm"})
_SKIPPED: Final = frozenset({"RAISE", "ASSERT", "PERFORM", "NULL"})
_QUERIES: Final = frozenset({"INSERT", "UPDATE", "DELETE", "SELECT"})


class Return(Struct, frozen=True):
    """The query of a RETURN in a PL/pgSQL body, as one or two SQL texts.

    A name in the body may be a parameter or a column. It means the column in the first text, and
    the parameter (`$1`, `$2` and so on) in the second text. `single` means that the query returns
    one value, which is NULL if the query has no row.
    """

    texts: tuple[str, ...]
    single: bool


def returns_of(
    body: str, name: str, inputs: Sequence[str], outputs: Collection[str]
) -> tuple[Return, ...]:
    """Return the query of each RETURN in a PL/pgSQL body, or () if the body is not supported.

    `name` is the function's name, `inputs` are the names of its IN parameters, and `outputs` are
    the names of the columns of RETURNS TABLE.
    """
    reader = _Reader(body, name, inputs, outputs)
    try:
        reader.block()
        reader.optional(";")
        if reader.at != len(reader.tokens):
            return ()
        return tuple([reader.returned(name, *found) for found in reader.found])
    except NotUnderstoodError:
        return ()


class _Reader(Words):
    def __init__(
        self, body: str, name: str, inputs: Sequence[str], outputs: Collection[str]
    ) -> None:
        super().__init__(body)
        self.name = name
        self.inputs = inputs
        self.declared: set[str] = set()  # in the present block and those around it
        self.ever: set[str] = set()
        self.outputs = outputs
        self.found: list[tuple[Sequence[Token], bool]] = []

    # --- statements -------------------------------------------------------------------------------

    def block(self) -> None:
        outside = set(self.declared)
        if self.optional("DECLARE"):
            while not self.optional("BEGIN"):
                self.declaration()
        else:
            self.expect("BEGIN")
        self.statements("END", "EXCEPTION")
        if self.optional("EXCEPTION"):
            while self.optional("WHEN"):
                self.until("THEN")
                self.statements("END", "WHEN")
        self.expect("END")
        self.declared = outside

    def declaration(self) -> None:
        """Read the declaration of a variable; it must not hide or rename a parameter."""
        name = folded(self.next())
        following = self.until(";")
        shadows = name in self.inputs or name == "declare"
        if shadows or not following or following[0].text.upper() == "ALIAS":
            raise NotUnderstoodError
        self.declared.add(name)
        self.ever.add(name)

    def statements(self, *ends: str) -> None:
        while self.word() not in ends:
            self.statement()

    def statement(self) -> None:
        word = self.word()
        if self.assigns:
            self.assignment()
        elif word in {"BEGIN", "DECLARE"}:
            self.block()
            self.expect(";")
        elif word == "IF":
            self.branches()
        elif word == "RETURN":
            self.returning()
        elif word in _SKIPPED:
            self.until(";")
        elif word in _QUERIES:
            self.query()
        else:
            raise NotUnderstoodError

    def assignment(self) -> None:
        name = folded(self.next())
        if name not in self.declared or name == self.name:
            raise NotUnderstoodError
        self.until(";")

    def branches(self) -> None:
        self.expect("IF")
        self.until("THEN")
        self.statements("ELSIF", "ELSEIF", "ELSE", "END")
        while self.optional("ELSIF") or self.optional("ELSEIF"):
            self.until("THEN")
            self.statements("ELSIF", "ELSEIF", "ELSE", "END")
        if self.optional("ELSE"):
            self.statements("END")
        self.expect("END")
        self.expect("IF")
        self.expect(";")

    def returning(self) -> None:
        self.expect("RETURN")
        if self.optional(";"):
            return
        if self.optional("QUERY"):
            self.found.append((self.until(";"), False))
            return
        self.optional("NEXT")
        self.found.append((self.until(";"), True))

    def query(self) -> None:
        """Read a statement; it may store its result, but only in declared variables."""
        tokens = self.until(";")
        for place, token in enumerate(tokens):
            if token.text.upper() != "INTO" or (place == 1 and tokens[0].text.upper() == "INSERT"):
                continue
            self.targets(tokens[place + 1 :])

    def targets(self, tokens: Sequence[Token]) -> None:
        """Check that the names after INTO are declared variables."""
        rest = [*tokens[1:]] if tokens and tokens[0].text.upper() == "STRICT" else [*tokens]
        more = True
        while more:
            if not rest or folded(rest.pop(0)) not in self.declared:
                raise NotUnderstoodError
            if rest and rest[0].text in {".", "["}:
                raise NotUnderstoodError
            more = bool(rest) and rest.pop(0).text == ","

    # --- values -----------------------------------------------------------------------------------

    def returned(self, name: str, tokens: Sequence[Token], single: bool) -> Return:
        """Return the query of a RETURN: with the names as written, and with parameters as `$1`."""
        if not tokens:
            raise NotUnderstoodError
        variables = {*self.ever, *self.outputs, *_SPECIAL}
        texts = [token.text for token in tokens]
        pieces, end = [], tokens[0].start
        for token, before, after in zip(tokens, ["", *texts], [*texts[1:], ""], strict=False):
            pieces.append(self.body[end : token.start])
            pieces.append(self.meaning(token, before, after, name, variables))
            end = token.end
        begin = "select " if single else ""
        plain, numbered = self.body[tokens[0].start : tokens[-1].end], "".join(pieces)
        return Return(tuple(dict.fromkeys((begin + plain, begin + numbered))), single)

    def meaning(
        self, token: Token, before: str, after: str, function: str, variables: Collection[str]
    ) -> str:
        """Return the text of a token; a parameter becomes `$1`, `$2` and so on."""
        if token.kind not in (Kind.NAME, Kind.QUOTED):
            return token.text
        name = folded(token)
        if before == "." or before.upper() == "AS" or after == "(":
            return token.text
        if name in variables or (after == "." and name == function):
            raise NotUnderstoodError
        if name in self.inputs and after not in {"=>", ":="}:
            return f"${self.inputs.index(name) + 1}"
        return token.text
