"""Plan how a dynamic query's function selects the SQL text, and which parameters it passes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from aiosqlc.ir import OptionalPart, TypedQuery, Variant
from aiosqlc.parse.scanner import Kind, scan
from aiosqlc.plan import pytypes
from aiosqlc.plan.conditions import double_quoted, one_of
from aiosqlc.plan.model import Import, PyChoice, PyParam, PyType
from aiosqlc.plan.naming import argument
from aiosqlc.plan.pieces import independent_pieces_of, numbered, pieces_of
from aiosqlc.source import Dialect

UnsetNames = tuple[Import, Import]
"""The imports of `UNSET` and of its type."""


def plan_choice(
    query: TypedQuery, params: dict[int, PyParam], unset: UnsetNames, engine: Dialect
) -> tuple[list[PyParam], PyChoice, set[Import]]:
    """Return a dynamic query's parameters with defaults, the selection of its SQL, and imports."""
    parts = query.parsed.dynamic
    by_name = {param.name: param.number for param in query.params}
    nullable = {param.number for param in query.params if not param.not_null}
    imports: set[Import] = set()
    conditions: list[str] = []
    needed: list[tuple[str, str]] = []
    adapted = dict(params)
    extra: dict[str, PyParam] = {}
    for position, part in enumerate(parts):
        if part.kind == "sort":
            conditions.append(argument(part.name))
            continue
        given = []
        flags = []
        named = [by_name[name] for name in (part.name, *part.also) if name in by_name]
        for name in (part.name, *part.also):
            number = by_name.get(name)
            if number is None:
                flag = PyParam(argument(name), PyType("bool"), "", "False")
                extra[flag.name] = flag
                given.append(flag.name)
                flags.append(flag.name)
            elif part.kind == "set" or number in nullable:
                adapted[number] = _unsettable(params[number], unset)
                imports |= set(unset)
                given.append(f"{params[number].name} is not UNSET")
            else:
                adapted[number] = _omittable(params[number])
                given.append(f"{params[number].name} is not None")
        conditions.append(" and ".join(given))
        if part.kind != "if" or not named:
            continue
        for number in part.numbers:
            if number not in named:
                adapted[number] = _omittable(params[number])
                # Possibly parameters of one list of rows.
                others = {params[other].name for other in named}
                required = (
                    number not in nullable
                    and params[number].name not in others
                    and _brings(number, position, parts, query.variants)
                )
                if required:
                    beside = " and ".join(params[other].name for other in named)
                    missing = f"{conditions[-1]} and {params[number].name} is None"
                    needed.append((missing, f"{params[number].name} is needed beside {beside}"))
        elsewhere = {
            name for other in parts if other is not part for name in (other.name, *other.also)
        }
        own = [argument(name) for name in (part.name, *part.also) if name not in elsewhere]
        needed += _halves(part, named, [f for f in flags if f in own], adapted, nullable)
    everything = [*(adapted[number] for number in sorted(adapted)), *extra.values()]
    keys = [_key(parts, variant.key) for variant in query.variants]
    choice = PyChoice(
        selectors=tuple(conditions),
        texts=tuple(
            (key, without_blank_lines(variant.sql, engine))
            for key, variant in zip(keys, query.variants, strict=True)
        ),
        arguments=tuple(
            (condition_of(number, parts, conditions, query.variants), params[number].expression)
            for number in sorted(params)
        ),
        names=_distinct(argument(part.name) for part in parts),
        needed=tuple(needed),
        labels=tuple(tuple(labels_of(part.choices).items()) for part in parts),
        independent=tuple(at for at, part in enumerate(parts) if part.independent),
    )
    imports |= {("typing", "Literal")} if any(part.kind == "sort" for part in parts) else set()
    return everything, choice, imports


def _halves(
    part: OptionalPart,
    named: Sequence[int],
    flags: Sequence[str],
    params: Mapping[int, PyParam],
    nullable: Collection[int],
) -> Iterator[tuple[str, str]]:
    """Yield a Python condition and a message for each parameter that a call must not omit.

    A call that passes the flag or a parameter of an optional part must pass the part's other
    parameters.
    """
    for number in named:
        beside = {
            params[other].name: _is_given(params[other])
            for other in part.numbers
            if params[other].name != params[number].name
            and (other in named or other not in nullable)
        }
        beside |= {flag: flag for flag in flags}
        if not beside:
            continue
        any_of = " or ".join(beside.values())
        any_of = f"({any_of})" if len(beside) > 1 else any_of
        missing = _is_given(params[number]).replace("is not", "is")
        said = f"{params[number].name} is needed beside {' or '.join(beside)}"
        yield f"{any_of} and {missing}", said


def _is_given(param: PyParam) -> str:
    return f"{param.name} is not {param.default}"


def with_pieces(choice: PyChoice, variants: Sequence[Variant] = ()) -> PyChoice:
    """Assemble the SQL texts of a dynamic query from shared pieces, if that is possible.

    With `variants`, a parameter in the pieces has its number in the whole query, because each text
    numbers it differently.
    """
    texts = dict(choice.texts)
    own = {
        key: _own_numbers(text, variant.numbers)
        for (key, text), variant in zip(choice.texts, variants, strict=False)
    }
    if choice.independent:
        renumbered = bool(own) and own != texts
        source = own if renumbered else texts
        # A `$1` inside a string would be numbered at run time as if it were a parameter.
        if any(numbered(text) != texts[key] for key, text in own.items()):
            return choice
        pieces = independent_pieces_of(source, choice.names, choice.independent)
        return replace(choice, pieces=pieces, numbered=renumbered)
    if own and own != texts:
        pieces = pieces_of(own, choice.names)
        same = all(numbered(text) == texts[key] for key, text in own.items())
        return replace(choice, pieces=pieces, numbered=True) if same else choice
    return replace(choice, pieces=pieces_of(texts, choice.names))


def _own_numbers(text: str, numbers: tuple[int, ...]) -> str:
    """Return a variant's SQL text, with the parameters' numbers from the whole query."""
    found, at = "", 0
    for token in scan(text):
        if token.kind is Kind.PARAM:
            found += f"{text[at : token.start]}${numbers[int(token.text[1:]) - 1]}"
            at = token.end
    return found + text[at:]


def without_blank_lines(sql: str, engine: Dialect) -> str:
    """Remove the blank lines of omitted optional parts, unless a string literal spans lines."""
    strings = (token for token in scan(sql, engine) if token.kind in {Kind.STRING, Kind.QUOTED})
    if any("\n" in token.text for token in strings):
        return sql
    return "\n".join(line.rstrip() for line in sql.split("\n") if line.strip())


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    """Return distinct names for the options of a query; two options may use the same parameter."""
    found: list[str] = []
    for name in names:
        while name in {*found, "numbered"}:
            name += "_"
        found.append(name)
    return tuple(found)


def _unsettable(param: PyParam, unset: UnsetNames) -> PyParam:
    kind = replace(param.type, annotation=f"{param.type.annotation} | {unset[1][1]}")
    return replace(param, type=kind, default="UNSET")


def _omittable(param: PyParam) -> PyParam:
    return replace(param, type=pytypes.optional(param.type), default="None")


def _key(parts: tuple[OptionalPart, ...], key: tuple[int, ...]) -> tuple[bool | str, ...]:
    return tuple(
        part.choices[chosen] if part.kind == "sort" else bool(chosen)
        for part, chosen in zip(parts, key, strict=True)
    )


def condition_of(
    number: int,
    parts: tuple[OptionalPart, ...],
    conditions: list[str],
    variants: tuple[Variant, ...],
) -> str:
    """Return the Python condition under which a parameter is passed, or '' if it always is."""
    if all(number in variant.numbers for variant in variants):
        return ""
    sorts = [position for position, part in enumerate(parts) if part.kind == "sort"]
    holding = {_at(sorts, variant) for variant in variants if number in variant.numbers}
    if holding != {_at(sorts, variant) for variant in variants}:
        some = tuple(variant for variant in variants if _at(sorts, variant) in holding)
        rest = condition_of(number, parts, conditions, some)
        return f"{rest} and " * bool(rest) + _one_of(sorts, holding, parts, conditions)
    present = [
        position
        for position, part in enumerate(parts)
        if part.kind != "sort" and _brings(number, position, parts, variants)
    ]
    if len(present) == 1:
        return conditions[present[0]]
    found = [conditions[position] for position in present]
    return " or ".join(f"({one})" if " and " in one else one for one in found)


def _at(sorts: Sequence[int], variant: Variant) -> tuple[int, ...]:
    """Return, for each `:sort` of the query, the index of the sort order in a variant."""
    return tuple(variant.key[position] for position in sorts)


def _one_of(
    sorts: Sequence[int],
    holding: Collection[tuple[int, ...]],
    parts: tuple[OptionalPart, ...],
    conditions: list[str],
) -> str:
    """Return the Python condition that the sort orders of a call are in `holding`."""
    labels = [list(labels_of(parts[position].choices).values()) for position in sorts]
    if len(sorts) == 1:
        return one_of(conditions[sorts[0]], [labels[0][at] for (at,) in sorted(holding)])
    texts = [
        [double_quoted(of[at]) for of, at in zip(labels, chosen, strict=True)]
        for chosen in sorted(holding)
    ]
    names = ", ".join(conditions[position] for position in sorts)
    values = ", ".join(f"({', '.join(text)})" for text in texts)
    return f"({names}) in ({values}{',' * (len(texts) == 1)})"


def _brings(
    number: int, position: int, parts: tuple[OptionalPart, ...], variants: tuple[Variant, ...]
) -> bool:
    """Return whether the SQL text with only the optional part at `position` has the parameter."""
    for variant in variants:
        others = (
            chosen
            for other, chosen in enumerate(variant.key)
            if other != position and parts[other].kind != "sort"
        )
        if variant.key[position] and not any(others):
            return number in variant.numbers
    return False


def sort_params(query: TypedQuery) -> list[PyParam]:
    """Return the parameters that choose a sort order; the first order is the default."""
    found = []
    for part in query.parsed.dynamic:
        if part.kind == "sort":
            choices = [double_quoted(label) for label in labels_of(part.choices).values()]
            kind = PyType(f"Literal[{', '.join(choices)}]")
            found.append(PyParam(argument(part.name), kind, "", choices[0]))
    return found


_QUALIFIED = re.compile(r"(?:\w+\.)+(?P<column>\w+(?: .*)?)")


def labels_of(choices: Sequence[str]) -> dict[str, str]:
    """Return the name of each sort key for callers, without the query's table aliases."""
    short = {
        key: found["column"] if (found := _QUALIFIED.fullmatch(key)) else key for key in choices
    }
    return short if len(set(short.values())) == len(short) else {key: key for key in choices}
