"""A tool: a query's function, its JSON schemas, and the conversion of arguments for a call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, get_args, get_type_hints

import msgspec
from msgspec import Struct, field

from aiosqlc.ir import Cardinality
from aiosqlc.mcp.forms import Form, form_of
from aiosqlc.mcp.offers import Offer
from aiosqlc.mcp.schemas import from_json, from_setting, input_schema, output_schema, without
from aiosqlc.parse.keyset import SIZE
from aiosqlc.plan.model import PyRow
from aiosqlc.plan.naming import argument

MASKED: Final = "[masked]"
STREAM_OPTION: Final = "chunk"  # of functions that yield rows: the number of rows per fetch
_ROW_COUNTS: Final = {
    Cardinality.ONE: "exactly one row",
    Cardinality.ZERO_OR_ONE: "at most one row",
    Cardinality.SOME: "one or more rows",
    Cardinality.MANY: "any number of rows",
}
_SAID: Final = {
    Form.PAGE: "one page of rows, and the total number of rows",
    Form.KEYSET: "one page of rows; pass `next` or `previous` as `cursor` to get another page",
    Form.ENTRIES: "one entry for each key that has a row",
    Form.LISTS: "one entry, with its rows, for each key that has rows",
}
_NAMED: Final = 20  # most relations in a description


class ArgumentError(Exception):
    """Raised for arguments that a tool refuses. The message is shown to the assistant."""


class BoundValueError(Exception):
    """Raised if the value that the server sets for a bound parameter has the wrong type.

    The message names the parameter and the reason.
    """


class Tool(Struct, frozen=True):
    """A generated function that an assistant can call as a tool.

    `hints` are the annotations of the parameters that the assistant may pass.

    `required` are the arguments without a default. `masked` are the paths of the row's fields whose
    values are hidden. A path is a sequence of positions that leads through nested rows and lists.
    `limits` maps a numeric argument to its smallest and largest value, and a list to its smallest
    and largest length.
    """

    offer: Offer
    call: Callable[..., Any]
    description: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    hints: Mapping[str, Any]
    required: frozenset[str]
    masked: tuple[tuple[int, ...], ...] = ()
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def form(self) -> Form:
        """Return the form of the tool's result, such as one row or a page."""
        return form_of(self.offer)

    @property
    def name(self) -> str:
        """Return the name of the tool."""
        return self.offer.name

    def arguments(self, given: Mapping[str, Any], bound: Mapping[str, str]) -> dict[str, Any]:
        """Return the function's arguments: those that the assistant gives, and the bound values.

        `bound` maps bound parameters to values as text. Raises `ArgumentError`.
        """
        for name in given:
            if name not in self.hints:
                raise ArgumentError(f"there is no argument `{name}`")
        missing = sorted(self.required - given.keys())
        if missing:
            raise ArgumentError(f"the argument `{missing[0]}` is missing")
        found = {name: _converted(name, value, self.hints[name]) for name, value in given.items()}
        for name, (least, most) in self.limits.items():
            value = found[name]
            if isinstance(value, int):
                if not least <= value <= most:
                    raise ArgumentError(f"`{name}` must be from {least} to {most}")
            elif not least <= len(value) <= most:
                raise ArgumentError(f"`{name}` must have {least} to {most} elements")
        return found | self.bound_values(bound)

    def bound_values(self, bound: Mapping[str, str]) -> dict[str, Any]:
        """Return the arguments that the assistant cannot pass. Raises `BoundValueError`.

        None is refused, because it could disable a condition, and the tool would then return every
        row.
        """
        hints = get_type_hints(self.call)
        found = {}
        for name in self.offer.bound:
            try:
                found[name] = from_setting(bound[name], without(hints[name], "Unset"))
            except (msgspec.ValidationError, ValueError, NotImplementedError) as error:
                raise BoundValueError(f"`{name}` of `{self.name}`: {error}") from None
        return found


def tool_of(offer: Offer, call: Callable[..., Any], row: PyRow | None, most: int) -> Tool:
    """Describe a function as a tool, for pages of at most `most` rows.

    Raises `NoJsonFormError` if a parameter has no JSON form.
    """
    parameters = [item for item in inspect.signature(call).parameters.values() if _is_passed(item)]
    annotations = get_type_hints(call)
    hints = {
        item.name: _passed(annotations[item.name])
        for item in parameters
        if item.name not in offer.bound
        and not (inspect.isasyncgenfunction(call) and item.name == STREAM_OPTION)
    }
    limits = {name: limit for name, limit in _limits(offer, most).items() if name in hints}
    # Without a limit, or with LIMIT NULL, a page would have every row.
    hints |= {name: without(hints[name], "NoneType") for name in limits}
    required = [
        item.name
        for item in parameters
        if item.name in hints and (item.default is item.empty or item.name in limits)
    ]
    schemas, shared = input_schema(hints)
    for name, (least, largest) in limits.items():
        of = ("minItems", "maxItems") if "array" in str(schemas[name]) else ("minimum", "maximum")
        schemas[name] = {**schemas[name], of[0]: least, of[1]: largest}
    incoming: dict[str, Any] = {
        "type": "object",
        "properties": schemas,
        "required": required,
        "additionalProperties": False,
    }
    if shared:
        incoming["$defs"] = shared
    masked = _masked_fields(offer, row)
    return Tool(
        offer,
        call,
        _description(offer),
        incoming,
        _result_schema(offer, annotations.get("return"), open_rows=bool(masked)),
        hints,
        frozenset(required),
        masked,
        limits,
    )


def _limits(offer: Offer, most: int) -> dict[str, tuple[int, int]]:
    """Return the bounds of each argument that decides how many rows a tool returns."""
    form, query = form_of(offer), offer.query
    if form is Form.KEYSET:
        return {SIZE: (1, most)}
    if form is Form.PAGE and query.parsed.paging:
        numbers = {query.parsed.paging.limit}
        return {argument(p.name): (1, most) for p in query.params if p.number in numbers}
    if offer.single is not None and offer.single.batch:
        return {argument(offer.single.batch.params[0].name): (0, most)}
    return {}


def _passed(hint: Any) -> Any:
    """Return the type of the values that an assistant passes for a parameter of this type."""
    hint = without(hint, "Unset")
    if any(getattr(item, "__name__", "") == "KeysetCursor" for item in get_args(hint)):
        return str | None
    return hint


def _is_passed(parameter: inspect.Parameter) -> bool:
    """Return whether a parameter is passed by name, unlike the connection."""
    return parameter.kind is inspect.Parameter.KEYWORD_ONLY


def hide(row: Any, masked: tuple[tuple[int, ...], ...]) -> Any:
    """Replace the masked values in a row that was converted to JSON values."""
    if not isinstance(row, dict):
        return MASKED if masked else row
    for path in masked:
        _hide(row, path)
    return row


def _hide(value: Any, path: tuple[int, ...]) -> None:
    if isinstance(value, list):
        for item in value:
            _hide(item, path)
    elif isinstance(value, dict):
        name = list(value)[path[0]]
        if len(path) > 1:
            _hide(value[name], path[1:])
        else:
            value[name] = MASKED


def _converted(name: str, value: Any, hint: Any) -> Any:
    if not all(is_storable(text) for text in texts_in(value)):
        raise ArgumentError(f"`{name}` contains a character that databases cannot store")
    try:
        return from_json(value, hint)
    except msgspec.ValidationError as error:
        raise ArgumentError(f"`{name}`: {error}") from None
    except ValueError:
        raise ArgumentError(f"`{name}` is not a valid value") from None


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text inside a JSON value, including the keys of objects."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from texts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)


def is_storable(text: str) -> bool:
    """Return whether a text has neither a NUL character nor an unpaired surrogate."""
    return not any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text)


def _description(offer: Offer) -> str:
    """Describe a query for the assistant: its comment, and what it reads, writes and returns."""
    query = offer.query
    facts = [
        "Writes to the database." if offer.writes else "Proved to be read-only.",
        f"Returns {_SAID.get(form_of(offer), _ROW_COUNTS[query.cardinality])}."
        if query.parsed.command.returns_rows
        else "Returns no rows.",
    ]
    if offer.reads:
        more = f" and {len(offer.reads) - _NAMED} more" if len(offer.reads) > _NAMED else ""
        facts.append(f"Reads {', '.join(offer.reads[:_NAMED])}{more}.")
    if query.writes:
        facts.append(f"Writes {', '.join(query.writes)}.")
    if offer.masked:
        hidden = ", ".join(query.columns[position].name for position in sorted(offer.masked))
        facts.append(f"Hides the values of {hidden}.")
    return "\n".join([*(line.strip() for line in query.parsed.doc), " ".join(facts)])


def _result_schema(offer: Offer, returned: Any, *, open_rows: bool) -> dict[str, Any]:
    """Return the schema of `structuredContent`, which is an object for every form of result."""
    form = form_of(offer)
    if form is Form.DONE:
        return _object({"done": {"const": True}})
    if form is Form.AFFECTED:
        return _object({"affected": {"type": "integer", "minimum": 0}})
    key, hint = _of_result(form, returned)
    row, shared = ({}, {}) if open_rows else output_schema(hint)
    rows = {"rows": {"type": "array", "items": row}}
    flag = {"truncated": {"type": "boolean"}}
    handle = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    if form in {Form.ENTRIES, Form.LISTS}:
        key_schema, more = output_schema(key)
        shared = {**shared, **more}
        entry = {"key": key_schema, **(rows if form is Form.LISTS else {"row": row})}
        result = _object({"entries": {"type": "array", "items": _object(entry)}, **flag})
    elif form is Form.KEYSET:
        result = _object({**rows, "next": handle, "previous": handle})
    elif form is Form.PAGE:
        result = _object({**rows, "total": {"type": "integer", "minimum": 0}, **flag})
    else:
        result = _object({**rows, **flag} if form is Form.ROWS else {"row": row})
    return {**result, "$defs": shared} if shared else result


def _of_result(form: Form, returned: Any) -> tuple[Any, Any]:
    """Return the annotations of a key and of a row, from the annotation of a function's result."""
    if form is Form.ROW:
        return None, returned
    found = get_args(returned)
    if form in {Form.ENTRIES, Form.LISTS}:
        return found[0], get_args(found[1])[0] if form is Form.LISTS else found[1]
    return None, get_args(found[0])[0] if form is Form.PAGE else found[0]


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _masked_fields(offer: Offer, row: PyRow | None) -> tuple[tuple[int, ...], ...]:
    """Return the paths of the masked columns in a row's fields, also in nested rows and lists."""
    if row is None or not offer.masked:
        return ()
    lists = dict(_lists(row))
    found: list[tuple[int, ...]] = []
    field = -1
    for position in range(len(offer.query.columns)):
        nested = next((n for n in row.nested if n.first <= position < n.first + n.count), None)
        start = lists.get(nested.first) if nested else None
        if (nested is None or position == nested.first) and (start is None or len(start) == 1):
            field += 1
        if position in offer.masked:
            inside = () if nested is None else (position - nested.first,)
            found.append((*((field,) if start is None else start), *inside))
    return tuple(found)


def _lists(row: PyRow) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield the index of the first column of each list of nested rows, and the list's path."""
    paths: list[tuple[int, ...]] = [()]
    for level in row.nest.levels[1:] if row.nest else ():
        assert row.nest  # noqa: S101 # a row without lists has no levels
        names = [field.name for field in row.nest.levels[level.parent].cls.fields]
        paths.append((*paths[level.parent], names.index(level.field)))
        yield level.first, paths[-1]
