"""Find an order of the schema files in which each file runs after the files that it needs.

The files of a folder are read alphabetically, so `orders.sql` is read before `types.sql`, even if
it needs a type from there. Numbered migrations keep their order.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence

from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import SchemaFile
from aiosqlc.postgres.failures import Failure, named_in
from aiosqlc.postgres.schema import Applied, apply_schema
from aiosqlc.schema.order import is_numbered
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.servers.postgres.databases import Draft, new_database
from aiosqlc.servers.postgres.embedded import Server
from aiosqlc.source import SourceFile, Span

_MAKES = re.compile(
    r"create\s+(?:or\s+replace\s+)?(?:(?:unlogged|foreign|materialized|recursive|temp|temporary)\s+)*"
    r"(?:table|view|type|domain|sequence|function|procedure|schema|collation)\s+"
    r'(?:if\s+not\s+exists\s+)?(?:[\w$"]+\.)?"?(?P<name>[\w$]+)',
    re.IGNORECASE,
)


_MOST_ORDERS = 10  # that are tried


def draft_of(
    server: Server,
    schema: Sequence[SchemaFile],
    shims: Sequence[SchemaFile],
    stack: contextlib.ExitStack,
) -> tuple[Draft, Applied]:
    """Apply a schema to a new database, in the file order with the fewest failures."""
    order = Order(schema)
    files: Sequence[SchemaFile] | None = schema
    best: tuple[Draft, Applied] | None = None
    for _ in range(_MOST_ORDERS):
        if files is None:
            break
        draft = stack.enter_context(new_database(server))
        with Connection(draft.conninfo) as connection:
            applied = apply_schema(connection, files, shims, own_server=server.embedded)
        if best is None or applied.failed < best[1].failed:
            best = draft, replace(applied, notes=(*applied.notes, *order.notes(files)))
        files = order.learn(applied.failures)
    assert best is not None  # noqa: S101 - there is always a first order
    return best


class Order:
    """The dependencies between schema files that are known so far."""

    def __init__(self, files: Sequence[SchemaFile]) -> None:
        self._files = list(files)
        self._makers: dict[str, SchemaFile] = {}
        self._needs: dict[int, dict[int, SchemaFile]] = {}
        for file in files:
            for span in file.statements:
                if made := _MAKES.match(file.sql, span.start, span.end):
                    self._makers.setdefault(made["name"].lower(), file)

    def learn(self, failures: Sequence[Failure]) -> list[SchemaFile] | None:
        """Derive dependencies from failures; return the new order, or None if none was derived."""
        by_source = {id(file.file): file for file in self._files}
        learned = False
        for failure in failures:
            file = by_source.get(id(_place(failure)))
            if file is None or is_numbered(file.file.path):
                continue
            for name in sorted(named_in(failure.error.message)):
                maker = self._makers.get(name.lower(), file)
                known = self._needs.setdefault(id(file), {})
                if maker is not file and id(maker) not in known:
                    known[id(maker)] = maker
                    learned = True
        return self._sorted() if learned else None

    def notes(self, order: Sequence[SchemaFile]) -> list[Diagnostic]:
        """Report each file that runs later than configured, with the reason."""
        place = {id(file): number for number, file in enumerate(order)}
        given = {id(file): number for number, file in enumerate(self._files)}
        found = []
        for file in self._files:
            later = [
                other.file.path.name
                for other in self._needs.get(id(file), {}).values()
                if given[id(other)] > given[id(file)] and place[id(other)] < place[id(file)]
            ]
            if later:
                first = file.statements[0] if file.statements else Span(0, 0)
                end = file.sql.find("\n", first.start, first.end)
                place_of = Span(first.start, end if end > 0 else first.end)
                found.append(
                    Diagnostic(
                        "E217",
                        f"{file.file.path.name} runs later, because it needs {' and '.join(later)}",
                        (Label(file.file, place_of),),
                        "to set the order, list the files under `schema`",
                        Severity.WARNING,
                    )
                )
        return found

    def _sorted(self) -> list[SchemaFile]:
        """Sort each file after the files that it needs; other files and cycles keep their order."""
        done: dict[int, SchemaFile] = {}
        visiting: set[int] = set()

        def visit(file: SchemaFile) -> None:
            if id(file) in done or id(file) in visiting:
                return
            visiting.add(id(file))
            for other in self._needs.get(id(file), {}).values():
                visit(other)
            done[id(file)] = file

        for file in self._files:
            visit(file)
        return list(done.values())


def _place(failure: Failure) -> SourceFile:
    return failure.problem.labels[0].file
