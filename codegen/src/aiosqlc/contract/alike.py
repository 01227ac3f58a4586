"""Convert results for comparison; all times less than one day from now become equal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from msgspec import Struct

_NOW = timedelta(days=1)


class Refused(Struct, frozen=True):
    """The result of a call that raised an exception.

    Both engines must raise an exception; the messages may differ.
    """

    def __repr__(self) -> str:
        return "refused"


def plain(value: object) -> object:
    """Convert a value, so that converted values are equal if callers see no difference.

    A time less than one day from now comes from a server's clock and becomes `now`.
    """
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    names = _fields(value)
    if type(value).__name__ == "KeysetCursor":  # valid for the engine that made it
        return ("KeysetCursor", getattr(value, "backward", None))
    if names:
        shown = {name: plain(getattr(value, name)) for name in names}
        return (type(value).__name__, *shown.items())
    if isinstance(value, Refused):
        return value
    if isinstance(value, Decimal):
        return ("Decimal", str(value))
    return (type(value).__name__, value)


def rows_in(result: object) -> list[dict[str, object]]:
    """Return a result's rows as dictionaries by column name; for a single value, the name is ''."""
    rows = result if isinstance(result, list) else [result]
    return [{name: getattr(row, name) for name in _fields(row)} for row in rows]


def _moment(value: datetime) -> object:
    zone = "aware" if value.tzinfo else "naive"
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    if abs(moment - datetime.now(UTC)) < _NOW:
        return (zone, "now")
    return (zone, moment.astimezone(UTC).isoformat())


def _fields(value: object) -> tuple[str, ...]:
    """Return the attributes of a row class of any supported library."""
    for attribute in ("__struct_fields__", "__dataclass_fields__", "model_fields"):
        names = getattr(type(value), attribute, None)
        if names:
            return tuple(names)
    return tuple(item.name for item in getattr(type(value), "__attrs_attrs__", ()))
