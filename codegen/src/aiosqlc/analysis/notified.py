"""Check that payloads sent on a declared channel have the structure that the channel declares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from aiosqlc.analysis.shapes import alike
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import Analysis, JsonKind, JsonShape, Sent, TypedQuery

_EMPTY = "the payload may be NULL, which is sent as an empty text"


def with_channels_apart(analysis: Analysis) -> Analysis:
    """Move the declared channels of an analysis from `queries` to `channels`."""
    channels = tuple([query for query in analysis.queries if query.parsed.channel])
    if not channels:
        return analysis
    queries = tuple([query for query in analysis.queries if not query.parsed.channel])
    return replace(analysis, queries=queries, channels=channels)


def check_channels(queries: Iterable[TypedQuery]) -> Iterator[Diagnostic]:
    """Yield the problems of declared channels, and of the calls that send on them.

    `queries` contains the declared channels too.
    """
    found = list(queries)
    channels = {query.parsed.channel: query for query in found if query.parsed.channel}
    for channel in channels.values():
        if channel.columns and channel.columns[0].type.name != "text" and not _object(channel):
            yield _no_object(channel)
    for query in found if channels else ():
        for sent in query.sends:
            declared = channels.get(sent.channel)
            if declared is not None and (shape := _object(declared)) is not None:
                yield from _checked(query, sent, declared, shape)


def _object(channel: TypedQuery) -> JsonShape | None:
    """Return the structure that a channel declares for its payload if this is a JSON object."""
    shape = channel.columns[0].shape if channel.columns else None
    return shape if shape and shape.kind is JsonKind.OBJECT else None


def _no_object(channel: TypedQuery) -> Diagnostic:
    parsed = channel.parsed
    return Diagnostic(
        "E150",
        f"the payload of the channel `{parsed.channel}` is not a row with known columns",
        (Label(parsed.file, parsed.name_span, "this channel"),),
        "select named columns, each name once, without UNION",
    )


def _checked(
    query: TypedQuery, sent: Sent, channel: TypedQuery, declared: JsonShape
) -> Iterator[Diagnostic]:
    parsed = query.parsed
    source = sent.source or f"`{parsed.name}`"
    place = Label(parsed.file, parsed.name_span, "declared here" if sent.source else "sent here")
    other = () if sent.source else (_declared(channel),)
    wrong = sent.why if sent.fails else ""
    why = sent.why or _doubt(declared, sent.shape)
    if why and not wrong:
        yield Diagnostic(
            "E397",
            f"the payload that {source} sends on `{sent.channel}` is not proved to be the declared"
            f" one: {why}",
            (place, *other),
            "build the payload by `json_build_object(…)::text` or `row_to_json(…)::text` in an "
            "AFTER trigger, a query or a function in SQL; or declare the payload as `text`",
            Severity.WARNING,
        )
    elif wrong or (sent.shape and (wrong := _difference(declared, sent.shape))):
        yield Diagnostic(
            "E396",
            f"the payload that {source} sends on `{sent.channel}` is not the declared one: {wrong}",
            (place, *other),
            "change the call, or the columns that the `notify` line declares",
        )


def _declared(channel: TypedQuery) -> Label:
    return Label(channel.parsed.file, channel.parsed.name_span, "declared here")


def _doubt(declared: JsonShape, sent: JsonShape | None, path: str = "") -> str:
    """Return a message about a declared member that is sent with an unknown structure, or ''."""
    if sent is None or declared.kind is JsonKind.ANY:
        return ""
    if sent.kind is JsonKind.ANY:
        return f"the structure of `{path}` is not known"
    for at, part in _pairs(declared, sent):
        if part is not None and (why := _doubt(at[1], part, _path(path, at[0]))):
            return why
    return ""


def _difference(declared: JsonShape, sent: JsonShape, path: str = "") -> str:
    """Return how a payload's structure differs from the declared one, or '' if it does not."""
    if declared.kind is JsonKind.ANY:
        return ""
    if sent.nullable and not declared.nullable:
        return f"`{path}` may be null" if path else _EMPTY
    if sent.absent and not declared.absent:
        return f"`{path}` may be missing"
    if _kind(declared) != _kind(sent):
        return f"`{path}` is {_shown(sent)}, but declared as {_shown(declared)}"
    for (key, member), part in _pairs(declared, sent):
        at = _path(path, key)
        if part is None and not member.absent:
            return f"`{at}` is missing"
        if part is not None and (wrong := _difference(member, part, at)):
            return wrong
    return ""


def _pairs(
    declared: JsonShape, sent: JsonShape
) -> Iterator[tuple[tuple[str, JsonShape], JsonShape | None]]:
    """Yield each declared member with the sent member of the same key, or with None."""
    if declared.kind is JsonKind.OBJECT:
        known: Mapping[str, JsonShape] = dict(sent.members)
        for key, member in declared.members:
            yield (key, member), known.get(key)
    else:
        for (_, member), (_, part) in zip(declared.members, sent.members, strict=False):
            yield ("[]", member), part


def _kind(shape: JsonShape) -> tuple[object, ...]:
    size = len(shape.members) if shape.kind is JsonKind.TUPLE else 0
    scalar = (shape.type.schema, alike(shape.type.name)) if shape.type else ("", "")
    return shape.kind, scalar, shape.stored, shape.path, size


def _shown(shape: JsonShape) -> str:
    return shape.type.name if shape.type else f"a JSON value ({shape.kind})"


def _path(path: str, key: str) -> str:
    return f"{path}{key}" if key == "[]" or not path else f"{path}.{key}"
