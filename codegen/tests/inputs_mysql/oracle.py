"""Check by calls of the server whether the claimed type of a parameter is right.

The driver sends a value of the claimed type as the generated function does. The result is compared
with that of the literal with this type and value, and with literals of other types. A claim can be
false for one of these reasons:

- `refused`: the server refuses every value of the type, and takes another type's.
- `converted`: it converts a value with a warning, and takes all of another type's as they are.
- `unread`: every value of the type gives NULL, and another type's give values.
- `unlike its literal`: the value gives another answer than the literal.
- `narrow`: the place reads every value as a text, or as a number with a fraction.
- `taken from its target`: the function takes another type when its result goes nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aiosqlc.ir import SqlType, TypedQuery
from aiosqlc.mysql import types
from aiosqlc.parse.placeholders import for_driver

from tests.inputs_mysql.positions import Position
from tests.inputs_mysql.server import Asked, Outcome
from tests.inputs_mysql.values import FORMS, GENERAL, MADE, Value, general, sort_of

_TEXTS = frozenset({"text", "json", "uuid", "inet6", "labels"})
_NUMBERS = frozenset({"integer", "decimal", "double", "bool", "year", "bit"})
_FORMED = _TEXTS | {"bytes", "integer"}
# The value of an argument becomes the result, whatever else may be chosen.
_CHOICES = ("IF(", "IFNULL(", "COALESCE(", "NVL(", "NVL2(", "NULLIF(", "GREATEST(", "LEAST(")
_CONVERTED = "1292"  # the warning of a value that was read as one of another type
_SHAPES = ("POINT", "ST_GeomFromText")
# A result out of range, and NULL where none is stored: no word about what the value's type is.
_OF_RESULTS = frozenset({1048, 1690})
_LOOKS = ("%", ".", "^a", "abc", "zzz", "POINT(1 2)")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result for one position: `right`, `untyped` (E313), `refused`, `unjudged`, or `false`.

    `claim` is the type, and `why` is the reason why it is false.
    """

    position: Position
    said: str
    claim: str = ""
    why: str = ""

    def __str__(self) -> str:
        return f"{self.said} {self.claim} {self.why}: {self.position.sql}"


@dataclass
class Tally:
    """The verdicts of many positions, counted."""

    verdicts: list[Verdict] = field(default_factory=list)

    def of(self, said: str) -> list[Verdict]:
        """Return the verdicts of one kind."""
        return [verdict for verdict in self.verdicts if verdict.said == said]

    def __str__(self) -> str:
        counts = [
            f"{len(self.of(said))} {said}"
            for said in ("right", "untyped", "refused", "unjudged", "false")
        ]
        return f"{len(self.verdicts)} pairs of a position and a type: {', '.join(counts)}"


class Oracle:
    """Check claims by calls on one server."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._bases: dict[str, tuple[str, bool]] = {}

    def verdicts(self, positions: Iterable[Position]) -> Tally:
        """Check every position."""
        return Tally([self.verdict(position) for position in positions])

    def verdict(self, position: Position) -> Verdict:
        """Check one position."""
        query, errors = self._asked.typed(position.sql)
        codes = {error.code for error in errors}
        if query is None or not query.params:
            return Verdict(
                position, "untyped" if "E313" in codes else "refused", *sorted(codes)[:1]
            )
        kind = query.params[0].type
        if kind == types.ANY:
            return Verdict(position, "right", "any")
        if position.base:
            claimed, varies = self._of_base(position.base)
            if claimed == types.family(kind):  # which is judged where it stands alone
                return Verdict(position, "right", kind.name)
            if not varies:
                why = f"taken from its target: {claimed or 'E313'} without it"
                return Verdict(position, "false", kind.name, why)
        others = {
            sort: [self._literal(position, value) for value in values]
            for sort, values in {**GENERAL, "geometry": FORMS["geometry"]}.items()
        }
        every = [outcome for outcomes in others.values() for outcome in outcomes]
        sort = sort_of(kind)
        forms: list[Outcome] = []
        if sort in _FORMED or all(o.is_null or not o.is_clean for o in every):
            forms = [self._literal(position, value) for value in _forms(sort)]
        if not any(outcome.is_clean for outcome in (*every, *forms)):
            return Verdict(position, "unjudged", kind.name)
        why = self._refuted(position, query, kind, others, forms)
        return Verdict(position, "false" if why else "right", kind.name, why)

    def _literal(self, position: Position, value: Value) -> Outcome:
        return self._asked.outcome(position.sql.replace("?", value.literal))

    def _refuted(
        self,
        position: Position,
        query: TypedQuery,
        kind: SqlType,
        others: Mapping[str, list[Outcome]],
        forms: list[Outcome],
    ) -> str:
        sort = sort_of(kind)
        values = general(kind)
        bound = [self._bound(query, value) for value in values]
        literal = [self._literal(position, value) for value in values]
        formed = forms if sort in _FORMED else []
        if all(o.error and o.error not in _OF_RESULTS for o in (*bound, *formed)):
            return f"refused: {bound[0].error if bound else 'no values'}"
        full = {
            name: outcomes
            for name, outcomes in others.items()
            if name != sort
            and all(outcome.is_clean for outcome in outcomes)
            and not all(outcome.is_null for outcome in outcomes)
        }
        dirty = [o for o in bound if not o.is_clean and o.error not in _OF_RESULTS]
        if sort not in _TEXTS and len(dirty) < len(bound):
            dirty = []  # it takes some: the others are beyond what it makes of them
        typed = any(outcome.warned.startswith(_CONVERTED) for outcome in dirty)
        clean_form = sort in _FORMED and not typed and any(f.is_clean for f in formed)
        if dirty and full and not clean_form:
            return f"converted: {dirty[0].warned or dirty[0].error}, not {'/'.join(full)}"
        if position.is_value and all(o.is_null or o.error for o in (*bound, *formed)):
            sensible = [
                name
                for name, outcomes in {**others, "form": forms}.items()
                if name != sort and any(o.is_clean and not o.is_null for o in outcomes)
            ]
            if sensible:
                return f"unread: NULL, not of {'/'.join(sensible)}"
        for value, ours, theirs in zip(values, bound, literal, strict=True):
            comparable = theirs.is_clean or not ours.is_clean
            if comparable and not ours.answers_as(theirs) and self._is_steady(position, value):
                return f"unlike its literal: {value.literal} {ours} {theirs}"
        return self._read_as_text(position, kind, literal) or self._whole(position, kind)

    def _bound(self, query: TypedQuery, value: Value) -> Outcome:
        sql, numbers = for_driver(query.sql)
        return self._asked.outcome(sql, [value.python] * len(numbers))

    def _is_steady(self, position: Position, value: Value) -> bool:
        """Return whether a literal gives the same result twice."""
        first = self._literal(position, value)
        return first.answers_as(self._literal(position, value))

    def _read_as_text(
        self,
        position: Position,
        kind: SqlType,
        literal: list[Outcome],
    ) -> str:
        """Return whether any text is accepted, and a value means the same as its text."""
        sort = sort_of(kind)
        if sort in {"text", "bytes", "json"} or kind.name == "set" or position.compares:
            return ""
        texts = [self._literal(position, Value(text, f"'{text}'")) for text in _LOOKS]
        if not all(outcome.is_clean for outcome in texts):
            return ""
        if len({repr(outcome.rows) for outcome in texts}) == 1:
            return ""
        if {outcome.codes for outcome in texts} != {outcome.codes for outcome in literal}:
            return ""
        for value, outcome in zip(general(kind), literal, strict=True):
            text = "'" + _text_of(value).replace("'", "''") + "'"
            if not outcome.answers_as(self._literal(position, Value(text, text))):
                return ""
        return "narrow: every text is taken, and every value as its text"

    def _whole(self, position: Position, kind: SqlType) -> str:
        """Return whether a number with a fraction is accepted too, and its fraction matters."""
        if types.family(kind) != "integer" or kind == types.BOOL or position.counts:
            return ""
        whole = [self._literal(position, Value(n, str(n))) for n in (1, 2)]
        broken = self._literal(position, Value("1.5", "1.5"))
        if not broken.is_clean or not all(outcome.is_clean for outcome in whole):
            return ""
        if position.is_value and {o.codes for o in whole} == {broken.codes}:
            return ""  # it makes the same of every number
        if any(broken.answers_as(outcome) for outcome in whole):
            return ""
        return "narrow: 1.5 is taken, and is no whole number"

    def _of_base(self, sql: str) -> tuple[str, bool]:
        """Return the claimed type without a target, and whether it decides the result's type."""
        if sql not in self._bases:
            query, _ = self._asked.typed(sql)
            claimed = types.family(query.params[0].type) if query and query.params else ""
            tried = [
                self._asked.outcome(sql.replace("?", values[0].literal))
                for values in GENERAL.values()
            ]
            codes = {outcome.codes for outcome in tried if outcome.is_clean}
            chooses = sql.removeprefix("SELECT ").startswith(_CHOICES)
            self._bases[sql] = (claimed, len(codes) > 1 or chooses)
        return self._bases[sql]


def _forms(sort: str) -> list[Value]:
    """Return values in the forms that a function may need, for a type or for no type."""
    made = [Value(None, literal) for literal in MADE if not literal.startswith(_SHAPES)]
    if sort == "bytes":
        return made
    if sort == "integer":
        return list(FORMS["integer"])
    return [*FORMS["text"], *FORMS["json"], *(made if sort not in _TEXTS else ())]


def _text_of(value: Value) -> str:
    if isinstance(value.python, bool):
        return str(int(value.python))
    text = value.literal.strip("'")
    for word in ("DATE'", "TIMESTAMP'", "TIME'"):
        text = text.removeprefix(word)
    return text.removesuffix("e0")
