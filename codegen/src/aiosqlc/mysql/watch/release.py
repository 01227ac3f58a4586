"""Run pending migrations one after another on one database, and observe their effects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.analysis.watched.causes import causes
from aiosqlc.analysis.watched.contents import Contents, changed, gone, lost
from aiosqlc.analysis.watched.observed import (
    Observed,
    ObservedFile,
    Pending,
    Relation,
    SchemaFailsError,
)
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import AnalyzeOptions, SchemaFile
from aiosqlc.mysql.catalog import read_schema
from aiosqlc.mysql.sample import insert_rows
from aiosqlc.mysql.schema import applied_to
from aiosqlc.mysql.watch.contents import Description, contents, description
from aiosqlc.mysql.watch.extremes import add_extremes
from aiosqlc.mysql.watch.session import RowsRefuseError, Watching, tables_in
from aiosqlc.mysql.watch.texts import Texts, refusals, waiting
from aiosqlc.servers.mysql import databases
from aiosqlc.servers.mysql.session import Session, open_session
from aiosqlc.source import Span

_LATER = 7  # the number of the first row that is written after the migration


class Rows(Enum):
    """The kinds of generated rows: with extreme values, with NULL, without NULL, or no rows."""

    EXTREME = "extreme"
    SOME = "some"
    WITHOUT_NULL = "without null"
    NONE = "none"


class Stage(Struct, frozen=True):
    """The session that runs migrations, a second session, and `lenient`.

    The second session reads while a migration runs. `lenient` means that MariaDB replaces MySQL.
    """

    acting: Session
    reading: Session
    lenient: bool

    @contextmanager
    def database(self, schema: Sequence[SchemaFile], rows: Rows) -> Iterator[str]:
        """Yield a new database with a schema and a few rows; it is dropped at the end."""
        name, mark = databases.make(self.acting)
        try:
            for session in (self.acting, self.reading):
                session.connection.select_db(name)
            problems = applied_to(self.acting, name, schema, lenient=self.lenient)
            if problems:
                raise SchemaFailsError(problems)
            if rows is not Rows.NONE:
                nulls = rows is not Rows.WITHOUT_NULL
                filled = read_schema(self.acting, name)
                insert_rows(self.acting, filled, with_nulls=nulls)
                if rows is Rows.EXTREME:
                    add_extremes(self.acting, filled)
            yield name
        finally:
            self.reading.connection.rollback()
            databases.drop(self.acting, name, mark)


class Watched:
    """A migration that was observed; alternative migrations can be run on the same schema."""

    def __init__(
        self,
        stage: Stage,
        before: Sequence[SchemaFile],
        existing: Mapping[str, Relation],
        seen: ObservedFile,
    ) -> None:
        self._stage, self._before, self._existing = stage, before, existing
        self.seen = seen

    def instead(self, at: Observed, files: Sequence[Pending]) -> tuple[list[Observed], bool]:
        """Run and observe other migrations in place of one statement.

        Return their observations, and whether they succeed and lead to the same schema as the
        statement.
        """
        number = self.seen.statements.index(at)
        spans = tuple(item.span for item in self.seen.statements[:number])
        earlier = [*self._before, replace(self.seen.file, statements=spans)]
        wanted = self._after([*earlier, replace(self.seen.file, statements=(at.span,))])
        with self._stage.database(earlier, Rows.NONE) as name:
            watching = Watching(
                self._stage.acting, self._stage.reading, name, self._existing, filled=False
            )
            found = [item for one in files for item in watching.run(one.file)]
            same = not watching.failures and description(self._stage.acting) == wanted
            return found, same

    def _after(self, schema: Sequence[SchemaFile]) -> Description:
        with self._stage.database(schema, Rows.NONE):
            return description(self._stage.acting)


class ReleaseObserver:
    """Observes migrations on a private server, or in temporary databases on the user's server."""

    def release(
        self,
        applied: Sequence[SchemaFile],
        pending: Sequence[Pending],
        queries: Mapping[str, Sequence[str]],
        options: AnalyzeOptions,
    ) -> Iterator[Watched]:
        """Yield the observations of each migration.

        `queries` maps names to the texts of queries. Raises `SchemaFailsError` and `NoServerError`.
        """
        with ExitStack() as stack:
            acting, reading = (
                open_session(options.database_uri, options.cache_dir, options.server)
                for _ in range(2)
            )
            stack.callback(acting.connection.close)
            stack.callback(reading.connection.close)
            lenient = options.server != "mariadb" and acting.private and acting.is_mariadb
            yield from _watched(Stage(acting, reading, lenient), applied, pending, queries)


def _watched(
    stage: Stage,
    applied: Sequence[SchemaFile],
    pending: Sequence[Pending],
    queries: Mapping[str, Sequence[str]],
) -> Iterator[Watched]:
    before = list(applied)
    with stage.database(before, Rows.NONE):
        existing = tables_in(stage.acting)
    for one in pending:
        if one.alone:
            with stage.database(before, Rows.NONE):
                existing = tables_in(stage.acting)
        seen = _watch_on_rows(stage, before, one, existing, queries)
        yield Watched(stage, tuple(before), existing, seen)
        before.append(one.file)


def _watch_on_rows(
    stage: Stage,
    before: Sequence[SchemaFile],
    one: Pending,
    existing: Mapping[str, Relation],
    queries: Mapping[str, Sequence[str]],
) -> ObservedFile:
    """Run a migration on generated rows; if it fails because of them, use fewer rows."""
    refused: tuple[Diagnostic, ...] = ()
    for rows in (Rows.EXTREME, Rows.SOME, Rows.WITHOUT_NULL):
        try:
            seen = _watch_one(stage, before, one, existing, queries, rows)
        except RowsRefuseError as error:
            refused = refused or (error.problem,)
        else:
            break
    else:
        rows = Rows.NONE
        seen = _watch_one(stage, before, one, existing, queries, rows)
    return replace(seen, on_rows=refused, causes=_causes(stage, before, seen, queries, rows))


def _causes(
    stage: Stage,
    before: Sequence[SchemaFile],
    seen: ObservedFile,
    queries: Mapping[str, Sequence[str]],
    rows: Rows,
) -> dict[str, Span]:
    """Map each broken query, and each loss of data, to the statement that causes it."""
    broken = {name: queries[name] for name in seen.broken}
    acting = stage.acting

    def effects(part: SchemaFile) -> dict[str, str]:
        with stage.database(before, rows) as name:
            held = contents(acting)
            applied_to(acting, name, [part], lenient=stage.lenient)
            acting.run("UNLOCK TABLES")  # the part may end before the statement that does it
            removed = gone(held, contents(acting, held))
            return {**refusals(acting, broken), **dict.fromkeys(removed, "")}

    return causes(seen.file, (*seen.broken, *seen.dropped), effects)


def _watch_one(
    stage: Stage,
    before: Sequence[SchemaFile],
    one: Pending,
    existing: Mapping[str, Relation],
    queries: Mapping[str, Sequence[str]],
    rows: Rows,
) -> ObservedFile:
    """Run and observe a migration, and its rollback if there is one, on the schema `before`."""
    acting = stage.acting
    with stage.database(before, rows) as name:
        texts = Texts(acting, stage.reading)
        needed = texts.needed(queries)
        planned = {query: queries[query] for query in needed}
        already = refusals(acting, planned)
        held = contents(acting)
        watching = Watching(acting, stage.reading, name, existing, filled=rows is not Rows.NONE)
        statements = watching.run(one.file)
        failures = tuple(watching.failures)
        now = contents(acting, held)
        failing = {} if failures else refusals(acting, planned)
        broken = tuple(query for query in failing if failing[query] != already.get(query))
        seen = ObservedFile(
            one.file,
            tuple(
                replace(item, waiting=waiting(needed, item.stopping or item.brief))
                for item in statements
            ),
            failures,
            broken=broken,
            dropped=gone(held, now),
            stand_in=f"MariaDB {acting.version.partition('-')[0]}" if stage.lenient else "",
        )
        if one.back is None or failures:
            return seen
        problems = tuple(applied_to(acting, name, [one.back], lenient=stage.lenient))
        seen = replace(seen, back=problems, lost=() if problems else lost(held, contents(acting)))
    return seen if problems else _taken_back_later(stage, before, one, seen, held)


def _taken_back_later(
    stage: Stage,
    before: Sequence[SchemaFile],
    one: Pending,
    seen: ObservedFile,
    held: Mapping[str, Contents],
) -> ObservedFile:
    """Write rows after the migration, run the rollback, and compare these rows."""
    assert one.back is not None  # noqa: S101 - the caller has run it
    acting = stage.acting
    with stage.database([*before, one.file], Rows.NONE) as name:
        schema = read_schema(acting, name)
        insert_rows(acting, schema, first=_LATER)
        insert_rows(acting, schema)
        add_extremes(acting, schema)
        before_back = contents(acting, held)
        problems = tuple(applied_to(acting, name, [one.back], lenient=stage.lenient))
        found = () if problems else changed(held, before_back, contents(acting, before_back))
    found = tuple(item for item in found if item not in (seen.lost or ()))
    return replace(seen, lost_later=found, back_later=problems)
