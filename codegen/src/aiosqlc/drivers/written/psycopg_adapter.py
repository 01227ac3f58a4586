"""The executor that runs generated functions on a psycopg connection."""

import re
import struct
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import abc, adapt, pq, sql
from psycopg.rows import tuple_row
from psycopg.types import numeric, string

Row = tuple[Any, ...]
_LAST, _FIRST = datetime.max, datetime.min  # noqa: DTZ901 - of a timestamp without a zone


class PsycopgExecutor:
    """Wraps a psycopg connection, which the caller opens, commits and closes.

    The adapter does not change the settings of the connection, so other code can use the same
    connection. A `timestamptz` value is returned in the time zone of the session.
    """

    __slots__ = ("__weakref__", "_binary", "_connection")

    def __init__(self, connection: "psycopg.AsyncConnection[Any]") -> None:
        self._connection = connection
        self._binary: dict[str, bool] = {}

    async def fetch(self, query: str, /, *args: Any) -> Sequence[Iterable[Any]]:
        """Return all rows."""
        cursor = await self._run(query, args)
        return await cursor.fetchall()

    async def fetchrow(self, query: str, /, *args: Any) -> Iterable[Any] | None:
        """Return the first row, or None if there are no rows."""
        cursor = await self._run(query, args)
        return await cursor.fetchone()

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        """Return the first value of the first row, or None if there are no rows."""
        cursor = await self._run(query, args)
        row = await cursor.fetchone()
        return None if row is None else row[0]

    async def execute(self, query: str, /, *args: Any) -> str:
        """Run a statement and return the server's status such as `UPDATE 3`."""
        cursor = await self._cursor()
        await cursor.execute(query.encode(), args)
        return cursor.statusmessage or ""

    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None:
        """Run a statement once per set of arguments, in one round trip. Errors undo all runs."""
        cursor = await self._cursor()
        if not cursor.connection.autocommit:  # the caller commits this transaction
            await cursor.executemany(command.encode(), args)
            return
        async with cursor.connection.transaction():
            await cursor.executemany(command.encode(), args)

    async def fetchmany(
        self, query: str, args: Iterable[Sequence[Any]]
    ) -> Sequence[Sequence[Iterable[Any]]]:
        """Return a list of rows for each set of arguments, in one round trip."""
        cursor = await self._cursor()
        await cursor.executemany(query.encode(), args, returning=True)
        found: list[Sequence[Iterable[Any]]] = []
        more: bool | None = cursor.pgresult is not None
        while more:
            found.append(await cursor.fetchall())
            more = cursor.nextset()
        return found

    async def copy_records_to_table(
        self,
        table_name: str,
        *,
        records: Iterable[Sequence[Any]],
        columns: Sequence[str] | None = None,
        schema_name: str | None = None,
    ) -> str:
        """Copy rows and return the server's status such as `COPY 3`."""
        target = sql.Identifier(*filter(None, (schema_name, table_name)))
        names = sql.SQL(", ").join(map(sql.Identifier, columns or ()))
        cursor = await self._cursor()
        await cursor.execute(sql.SQL("SELECT {} FROM {} LIMIT 0").format(names, target))
        types = [column.type_code for column in cursor.description or ()]
        binary = _COPIED_AS_BINARY.issuperset(types)
        how = sql.SQL("(FORMAT binary)" if binary else "(FORMAT text)")
        copying = sql.SQL("COPY {} ({}) FROM STDIN {}").format(target, names, how)
        async with cursor.copy(copying) as copy:
            if binary:
                copy.set_types(types)
            for record in records:
                await copy.write_row(record)
        return cursor.statusmessage or ""

    async def cursor(self, query: str, /, *args: Any) -> "PsycopgCursor":
        """Open a cursor on the server. The end of the transaction closes the cursor."""
        name = f"aiosqlc_{uuid4().hex}"
        text = f"DECLARE {name} NO SCROLL CURSOR FOR {query}"
        cursor = await self._cursor()
        await cursor.execute(text.encode(), args, prepare=False)
        return PsycopgCursor(cursor.connection, name)

    async def _cursor(self) -> "_Cursor":
        return _Cursor(await self._lent())

    async def _lent(self) -> "psycopg.AsyncConnection[Any]":
        return self._connection

    async def _run(self, query: str, args: Sequence[Any]) -> "_Cursor":
        cursor = await self._cursor()
        binary = self._binary.get(query)
        await cursor.execute(query.encode(), args, binary=binary)
        if binary is None:  # the first run uses text; some types are faster in binary
            description = cursor.description or ()
            types = {column.type_code for column in description}
            self._binary[query] = types <= _READ_AS_BINARY
        return cursor


class PsycopgCursor:
    """A cursor on the database server."""

    __slots__ = ("_connection", "_fetch")

    def __init__(self, connection: "psycopg.AsyncConnection[Any]", name: str) -> None:
        self._connection = connection
        self._fetch = f"FROM {name}"

    async def fetch(self, n: int, /) -> Sequence[Iterable[Any]]:
        """Return the next `n` rows, or fewer rows at the end of the result."""
        cursor = _Cursor(self._connection)
        await cursor.execute(f"FETCH FORWARD {int(n)} {self._fetch}".encode(), prepare=False)
        return await cursor.fetchall()


class _Cursor(psycopg.AsyncRawCursor[Row]):
    """Sends the SQL text unchanged and converts values with the adapters of this module."""

    def __init__(self, connection: "psycopg.AsyncConnection[Any]") -> None:
        super().__init__(connection, row_factory=tuple_row)

    @property
    def adapters(self) -> adapt.AdaptersMap:
        return _ADAPTERS


# --- values are sent without a type, so that the server infers the same types as at compile time


class _Text(adapt.Dumper):
    """Sends a value as text, which is the result of Python's `str`."""

    def dump(self, obj: Any) -> bytes:
        return str(obj).encode()


class _Bytes(adapt.Dumper):
    def dump(self, obj: Any) -> bytes:
        return b"\\x" + bytes(obj).hex().encode()


class _Date(adapt.Dumper):
    """Sends `date.max` or `datetime.max` as `infinity`, and `min` as `-infinity`."""

    def dump(self, obj: date) -> bytes:
        return {date.max: b"infinity", date.min: b"-infinity"}.get(obj) or str(obj).encode()


class _Datetime(adapt.Dumper):
    def dump(self, obj: datetime) -> bytes:
        endless = {_LAST: b"infinity", _FIRST: b"-infinity"}.get(obj)
        return endless or _local(obj).isoformat().encode()


def _local(moment: datetime) -> datetime:
    """Add the local time zone of this machine to a naive datetime, as asyncpg does.

    Without an offset, the server would use the time zone of the session.
    """
    if moment.tzinfo is not None:
        return moment
    try:
        ahead = moment - moment.astimezone(UTC).replace(tzinfo=None)
    except (OverflowError, ValueError):  # near `datetime.min` or `datetime.max`
        return moment
    return moment.replace(tzinfo=timezone(ahead))


class _Interval(adapt.Dumper):
    def dump(self, obj: Any) -> bytes:
        return f"{obj.days} days {obj.seconds} s {obj.microseconds} us".encode()


class _Finite(adapt.Loader):
    """Reads an interval. An infinite interval raises an error: Python cannot represent it."""

    base: type[abc.Loader]

    def __init__(self, oid: int, context: abc.AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        self._load = self.base(oid, context).load

    def load(self, data: abc.Buffer) -> Any:
        if bytes(data).endswith(b"infinity"):
            text = bytes(data).decode()
            raise psycopg.DataError(f"Python cannot represent the interval {text}")
        return self._load(data)


class _Endless(adapt.Loader):
    """Reads `infinity` as `date.max` or `datetime.max`, and `-infinity` as `min`, like asyncpg."""

    base: type[abc.Loader]
    last: date
    first: date

    def __init__(self, oid: int, context: abc.AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        self._load = self.base(oid, context).load

    def load(self, data: abc.Buffer) -> Any:
        try:
            return self._load(data)
        except psycopg.DataError:
            text = bytes(data)
            if text in {b"infinity", b"\x7f" + b"\xff" * (len(text) - 1)}:
                return self.last
            if text in {b"-infinity", b"\x80" + b"\0" * (len(text) - 1)}:
                return self.first
            raise


class _EndlessBinary(adapt.Dumper):
    """Sends `date.max` or `datetime.max` as `infinity`, and `min` as `-infinity`, in a COPY."""

    base: type[abc.Dumper]
    format = pq.Format.BINARY
    zoned = False

    def __init__(self, cls: type, context: abc.AdaptContext | None = None) -> None:
        super().__init__(cls, context)
        self._dump = self.base(cls, context).dump

    def dump(self, obj: date) -> abc.Buffer | None:
        if obj in {date.max, _LAST}:
            return b"\x7f".ljust(8 if isinstance(obj, datetime) else 4, b"\xff")
        if obj in {date.min, _FIRST}:
            return b"\x80".ljust(8 if isinstance(obj, datetime) else 4, b"\0")
        return self._dump(_local(obj) if self.zoned and isinstance(obj, datetime) else obj)


def _endless(name: str, last: date, first: date) -> None:
    oid = psycopg.adapters.types[name].oid
    for form in pq.Format:
        base = psycopg.adapters.get_loader(oid, form)
        members = {"base": base, "format": form, "last": last, "first": first}
        _ADAPTERS.register_loader(oid, type("_Endless", (_Endless,), members))
    dumper = psycopg.adapters.get_dumper_by_oid(oid, pq.Format.BINARY)
    own = {"base": dumper, "oid": oid, "zoned": name == "timestamptz"}
    _ADAPTERS.register_dumper(None, type("_EndlessBinary", (_EndlessBinary,), own))


class _Nothing(adapt.Loader):
    """Reads the result of a function that returns `void`."""

    def load(self, data: abc.Buffer) -> None:
        """Return None for every value."""
        del data


class _Single(adapt.Loader):
    """Reads a `real` with single precision, not as the double nearest to its text."""

    def load(self, data: abc.Buffer) -> float:
        (value,) = struct.unpack("f", struct.pack("f", float(bytes(data))))
        return float(value)


class _Vector(adapt.Loader):
    def load(self, data: abc.Buffer) -> list[int]:
        return [int(item) for item in bytes(data).split()]


_ADAPTERS = adapt.AdaptersMap(psycopg.adapters)
_ADAPTERS.register_loader(2278, _Nothing)  # void
_ADAPTERS.register_loader("float4", _Single)
for _name in ("int2vector", "oidvector"):
    _ADAPTERS.register_loader(_name, _Vector)
for _type in (int, bool, float, Decimal, UUID, time):
    _ADAPTERS.register_dumper(_type, _Text)
for _kind in (bytes, bytearray, memoryview):
    _ADAPTERS.register_dumper(_kind, _Bytes)
for _name in ("Address", "Interface", "Network"):
    _ADAPTERS.register_dumper(f"ipaddress.IPv4{_name}", _Text)
    _ADAPTERS.register_dumper(f"ipaddress.IPv6{_name}", _Text)
_ADAPTERS.register_dumper(date, _Date)
_ADAPTERS.register_dumper(datetime, _Datetime)
_ADAPTERS.register_dumper(timedelta, _Interval)
for _name in ("json", "jsonb"):
    _ADAPTERS.register_loader(_name, string.TextLoader)
for _name in ("xid", "cid", "xid8"):
    _ADAPTERS.register_loader(_name, numeric.IntLoader)
_interval = psycopg.adapters.types["interval"].oid
_base = psycopg.adapters.get_loader(_interval, pq.Format.TEXT)
_ADAPTERS.register_loader(_interval, type("_Finite", (_Finite,), {"base": _base}))
_endless("date", date.max, date.min)
_endless("timestamp", _LAST, _FIRST)
_endless("timestamptz", _LAST, _FIRST)
_READ_AS_BINARY = frozenset(
    psycopg.adapters.types[name].oid
    for name in (
        *("bool", "int2", "int4", "int8", "float4", "float8", "uuid", "bytea"),
        *("text", "varchar", "bpchar", "date", "time", "timetz", "timestamp", "timestamptz"),
    )
)
_COPIED_AS_BINARY = _READ_AS_BINARY | {psycopg.adapters.types["numeric"].oid}


# --- types of the schema are read from their text, because their OIDs differ among databases


class _Context:
    adapters = _ADAPTERS
    connection = None


_VALUES = adapt.Transformer(_Context())
_ESCAPED = re.compile(r'\\(.)|""', re.DOTALL)
_FIELD = re.compile(r'"((?:[^"\\]|\\.|"")*)"|([^,()]*)', re.DOTALL)
_TOKEN = re.compile(r'[{}]|"((?:[^"\\]|\\.)*)"|([^{},"]+)', re.DOTALL)


@cache
def decoder(name: str) -> Callable[[str], Any]:
    """Return the function that parses the text of a built-in type."""
    oid = psycopg.adapters.types.get_oid(name)
    load = _VALUES.get_loader(oid, pq.Format.TEXT).load
    return lambda text: load(text.encode())


def decode_record(text: str, *parsers: Callable[[str], Any]) -> list[Any]:
    """Parse the text of a composite value, and return the values of its fields."""
    values: list[Any] = []
    at = 1
    for parse in parsers:
        found = _FIELD.match(text, at)
        quoted, bare = found.groups() if found else (None, None)
        at = found.end() + 1 if found else at
        if quoted is not None:
            bare = _unescaped(quoted)
        values.append(parse(bare or "") if bare or quoted is not None else None)
    return values


def decode_array(text: str, parse: Callable[[str], Any]) -> Any:
    """Parse the text of an array into a list."""
    stack: list[list[Any]] = [[]]
    for token in _TOKEN.finditer(text, text.index("{")):
        quoted, bare = token.groups()
        if token[0] == "{":
            stack[-1].append([])
            stack.append(stack[-1][-1])
        elif token[0] == "}":
            stack.pop()
        elif quoted is not None:
            stack[-1].append(parse(_unescaped(quoted)))
        else:
            stack[-1].append(None if bare == "NULL" else parse(bare))
    return stack[0][0]


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: found[1] or '"', text)
