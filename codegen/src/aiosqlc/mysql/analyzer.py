"""The MySQL analyser: infers the types of queries with a server, or only from their SQL text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache

import pymysql
from msgspec import Struct
from msgspec.structs import replace
from pymysql.constants import FLAG

from aiosqlc.analysis.nesting import nest_problems
from aiosqlc.analysis.tenants import unknown_tenant_names
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import (
    Analysis,
    AnalyzeOptions,
    Catalog,
    Command,
    ParsedQuery,
    SchemaFile,
    TypedParam,
    TypedQuery,
)
from aiosqlc.messages.progress import counted
from aiosqlc.mysql import mariadb
from aiosqlc.mysql.call_outputs import unassignable
from aiosqlc.mysql.called import is_call
from aiosqlc.mysql.catalog import catalog_of, read_schema
from aiosqlc.mysql.embeds import why_not_whole
from aiosqlc.mysql.errors import missing_in, query_error
from aiosqlc.mysql.executable import MARIADB, MYSQL, Kin, as_read, kin_of, unclear
from aiosqlc.mysql.guard import as_sent, impossible, unlike, unproved
from aiosqlc.mysql.labels import unknown_labels
from aiosqlc.mysql.names import unknown_names
from aiosqlc.mysql.planned import Asked, refused_plan
from aiosqlc.mysql.prepare import Described
from aiosqlc.mysql.relations import Relation, Schema
from aiosqlc.mysql.returning import Prepares
from aiosqlc.mysql.sampled import Casts, sampled
from aiosqlc.mysql.schema import Failed, Loaded, forget, load
from aiosqlc.mysql.shown import is_show
from aiosqlc.mysql.static import changed_by, schema_from_files
from aiosqlc.mysql.syntax import mentions, unread
from aiosqlc.mysql.tenants import Tenants
from aiosqlc.mysql.typed import Text, origin_of, read_text, type_query
from aiosqlc.mysql.variables import mistaken
from aiosqlc.mysql.variants import as_query, merge
from aiosqlc.parse.scanner import Kind, code_tokens
from aiosqlc.schema.history import History, history_of, names_in, with_past
from aiosqlc.servers.mysql.session import SYSTEM, Session, open_session
from aiosqlc.servers.private import NoServerError
from aiosqlc.source import Dialect, Span

_UNASKED = "inferred from the query text, without a server"


class AnalysisContext(Struct, frozen=True):
    """The schema of the queries, and the server to which the schema was applied, if there is one.

    `for_mysql` means that the compiler started a MariaDB, but the queries may be for MySQL. MariaDB
    may then refuse a statement that is valid in MySQL. With `strict`, the configuration must say
    that the queries are for MySQL. `kin` is the kind and version of the server; it decides which
    comments `/*! … */` are run. `unsaid` means that the configuration does not say for which server
    the queries are. `forgiving` means that the queries are for MySQL, so that a refusal by MariaDB
    is not an error. `doubted` are the tables that this server created in another form than the
    schema files declare. `history` returns the objects that migrations dropped or renamed, for
    errors about missing names. `tenants` proves that a query accesses only one tenant's rows, if
    the configuration declares tenants.
    """

    schema: Schema
    session: Session | None = None
    database: str = ""
    for_mysql: bool = False
    strict: bool = False
    kin: Kin = MYSQL
    unsaid: bool = False
    forgiving: bool = False
    doubted: frozenset[str] = frozenset()
    history: Callable[[], History] = History
    tenants: Tenants | None = None


def analyze(
    schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
) -> tuple[Analysis, tuple[Diagnostic, ...]]:
    """Infer the queries' types with a MySQL or MariaDB server, or only from their SQL text.

    Returns the typed queries in the given order, and all problems. Never raises for a user's
    mistake or an unreachable server.
    """
    try:
        session = open_session(options.database_uri, options.cache_dir, options.server)
    except NoServerError as error:
        return _without_server(schema, queries, options, str(error))
    try:
        return _with_server(session, schema, queries, options)
    except pymysql.MySQLError as error:
        return Analysis(Catalog()), (_lost(error, session),)
    finally:
        session.connection.close()


def _with_server(
    session: Session,
    schema: Sequence[SchemaFile],
    queries: Sequence[ParsedQuery],
    options: AnalyzeOptions,
) -> tuple[Analysis, tuple[Diagnostic, ...]]:
    said_mysql = options.server == "mysql"
    loaded, problem = load(session, schema, for_mysql=options.server != "mariadb", skips=said_mysql)
    if loaded is None:
        return Analysis(Catalog()), (problem,) if problem else ()
    try:
        own = sorted(name for name in SYSTEM if any(mentions(q.sql, name) for q in queries))
        known = read_schema(session, loaded.database, (*loaded.others, *own))
        known, doubted = _with_skipped(known, schema, loaded)
        for_mysql = session.private and session.is_mariadb and options.server != "mariadb"
        strict = options.strict and options.server != "mysql"
        if for_mysql:
            known = _with_not_nulls(known, schema)
        schema_ = _vouched(known, options)
        kin = MYSQL if for_mysql else kin_of(session.version)
        unsaid = for_mysql and not options.server
        forgiving = for_mysql and said_mysql
        context = AnalysisContext(
            schema_,
            session,
            loaded.database,
            for_mysql,
            strict,
            kin,
            unsaid,
            forgiving,
            doubted,
            _history(schema),
            Tenants(schema_, options.tenant) if options.tenant else None,
        )
        asked, found = _without_the_lost(loaded.failed, queries)
        typed, problems = _type_all(context, asked, options)
        found += [mariadb.unloaded(s.file, s.span, s.message) for s in loaded.skipped]
        found += [_given(s.file, s.span) for s in loaded.given]
        found += [mariadb.unkeyed(s.file, s.span, s.message) for s in loaded.unkeyed]
        found += [mariadb.unbuilt(s.file, s.span, s.message) for s in loaded.unbuilt]
        if context.tenants is not None and not loaded.failed:
            found += unknown_tenant_names(options, *context.tenants.names())
        problems = (*found, *problems)
    finally:
        forget(session, loaded)
    analysis = Analysis(
        catalog_of(known), typed, session.version, facts=(("path", f"server {session.version}"),)
    )
    return analysis, problems


def _without_the_lost(
    failed: Sequence[Failed], queries: Sequence[ParsedQuery]
) -> tuple[list[ParsedQuery], list[Diagnostic]]:
    """Return the queries that no failed schema statement affects, and an error for each failure."""
    costs: dict[Failed, list[str]] = {failure: [] for failure in failed}
    kept = []
    for query in queries:
        cause = next((failure for failure in failed if failure.is_used_in(query.sql)), None)
        if cause is None:
            kept.append(query)
        else:
            costs[cause].append(query.place)
    return kept, [
        replace(cause.problem, costs=tuple(lost), notes=(*cause.problem.notes, *_after(cause)))
        for cause, lost in costs.items()
    ]


def _after(cause: Failed) -> tuple[str, ...]:
    plural = "s" if cause.followers > 1 else ""
    said = f"{cause.followers} later statement{plural} of the schema failed because of this"
    return (said,) if cause.followers else ()


def _with_skipped(
    known: Schema, files: Sequence[SchemaFile], loaded: Loaded
) -> tuple[Schema, frozenset[str]]:
    """Add tables whose schema statement the server refused, if the SQL text lists their columns.

    The returned set contains the lower-case names of the tables that the server created in another
    form.
    """
    doubted = frozenset(changed_by(skipped.sql).lower() for skipped in loaded.skipped) - {""}
    if not loaded.skipped:
        return known, doubted
    by_text, _ = schema_from_files(files)
    added = [r for r in by_text.relations if r.table.name.lower() in doubted]
    kept = [r for r in known.relations if r.table.name.lower() not in doubted]
    lost = by_text.lost | (doubted - {r.table.name.lower() for r in added})
    return replace(known, relations=(*kept, *added), lost=known.lost | lost), doubted


def _given(file: SchemaFile, span: Span) -> Diagnostic:
    """Report a schema statement that was skipped, because the server already has its object."""
    return Diagnostic(
        code="E217",
        message="skipped, because the server already has this object",
        labels=(
            Label(file.file, span, "queries use the object on the server, not this definition"),
        ),
        severity=Severity.WARNING,
    )


def _with_not_nulls(known: Schema, files: Sequence[SchemaFile]) -> Schema:
    """Add NOT NULL to MySQL's generated columns, because MariaDB cannot declare them NOT NULL."""
    said: dict[str, set[str]] = {}
    for sql in (file.sql[span.start : span.end] for file in files for span in file.statements):
        if names := mariadb.without_null(sql)[1]:
            said.setdefault(changed_by(sql).lower(), set()).update(names)
    return replace(
        known,
        relations=tuple(
            _certain(relation, relation.generated & said.get(relation.table.name.lower(), set()))
            for relation in known.relations
        ),
    )


def _certain(relation: Relation, names: frozenset[str]) -> Relation:
    columns = tuple(
        replace(column, not_null=True) if column.name.lower() in names else column
        for column in relation.table.columns
    )
    return replace(relation, table=replace(relation.table, columns=columns)) if names else relation


def _vouched(schema: Schema, options: AnalyzeOptions) -> Schema:
    """Add the functions that the configuration declares never NULL, without their schema names."""
    names = (name.rpartition(".")[2].upper() for name in options.not_null_functions)
    return replace(schema, never_null=frozenset(names))


def _lost(error: pymysql.MySQLError, session: Session) -> Diagnostic:
    """Return the error for a lost connection, or for a refused statement of the compiler itself."""
    return Diagnostic(
        code="E210",
        message=f"cannot use the MySQL server: {error.args[-1] if error.args else error}",
        hint=""
        if session.private
        else "the account in `database.uri` needs the privilege to create databases"
        " called aiosqlc_…",
    )


def _without_server(
    schema: Sequence[SchemaFile],
    queries: Sequence[ParsedQuery],
    options: AnalyzeOptions,
    reason: str,
) -> tuple[Analysis, tuple[Diagnostic, ...]]:
    """Infer the types of queries from the SQL text, without a server.

    In CI, a missing server is an error.
    """
    demanded = os.environ.get("CI", "").lower() in {"1", "true"} or options.database_uri is not None
    notice = Diagnostic(
        code="E210",
        message=f"no MySQL or MariaDB server is available: {reason}",
        hint="install MariaDB's server (`apt-get install mariadb-server`), or set `database.uri`",
        severity=Severity.ERROR if demanded else Severity.WARNING,
        notes=()
        if demanded
        else (
            (
                "types are inferred from the query text without a server, and may be wider than "
                "necessary"
            ),
        ),
    )
    if demanded:
        return Analysis(Catalog()), (notice,)
    known, found = schema_from_files(schema)
    typed, problems = _type_all(
        AnalysisContext(
            _vouched(known, options),
            history=_history(schema),
            tenants=Tenants(known, options.tenant) if options.tenant else None,
        ),
        queries,
        options,
    )
    typed = tuple([_unasked(query) for query in typed])
    analysis = Analysis(catalog_of(known), typed, facts=(("path", "text alone"),))
    return analysis, (notice, *found, *problems)


def _unasked(query: TypedQuery) -> TypedQuery:
    """Add a reason to each inferred type and row count: no server checked the query."""
    return replace(
        query,
        columns=tuple([replace(c, reasons=(*c.reasons, _UNASKED)) for c in query.columns]),
        params=tuple([replace(p, reasons=(*p.reasons, _UNASKED)) for p in query.params]),
        cardinality_reasons=(*query.cardinality_reasons, _UNASKED),
    )


def _type_all(
    context: AnalysisContext, queries: Sequence[ParsedQuery], options: AnalyzeOptions
) -> tuple[tuple[TypedQuery, ...], tuple[Diagnostic, ...]]:
    typed: list[TypedQuery] = []
    problems: list[Diagnostic] = []
    for query in counted("compiling", queries):
        result, found = type_one(context, query)
        problems += [*mistaken(query), *found]
        if result is not None:
            typed.append(result)
            problems += _misuse(result, options)
            problems += unassignable(query, context.schema.routines)
    return tuple(typed), tuple(problems)


def type_one(
    context: AnalysisContext, query: ParsedQuery
) -> tuple[TypedQuery | None, list[Diagnostic]]:
    """Infer the types of one query, and of each SQL text of a dynamic query."""
    result, problems = _type_text(context, query)
    if result is None or not query.variants:
        return result, problems
    for variant in query.variants:
        other, found = _type_text(context, as_query(query, variant))
        found += unlike(result, other, variant) if other else []
        if other is None or any(item.severity is Severity.ERROR for item in found):
            return None, [*problems, *found]
        result = merge(result, other, variant)
    return result, problems


def _type_text(
    context: AnalysisContext, written: ParsedQuery
) -> tuple[TypedQuery | None, list[Diagnostic]]:
    query = replace(written, sql=as_read(written.sql, context.kin))
    described: tuple[Described, ...] | None = None
    prepares = (
        Prepares(context.session.connection, context.schema.routines) if context.session else None
    )
    excuses = (
        unclear(written, strict=context.strict or _is_other(prepares, query, written))
        if context.unsaid
        else []
    )
    if prepares is not None and not _is_about(query, context.doubted):
        try:
            described = prepares.query(query.sql).columns
            own = _is_about(query, SYSTEM) or is_show(query.sql)
            if context.for_mysql and own:  # in MySQL's own tables, nullability differs
                described = tuple([replace(c, flags=c.flags & ~FLAG.NOT_NULL) for c in described])
        except pymysql.MySQLError as error:
            construct = mariadb.excused(error, query.sql) if context.for_mysql else ""
            if construct:
                excuses += [mariadb.notice(query, construct, strict=context.strict)]
            elif context.forgiving:
                excuses += [mariadb.refused(query, error, context.database)]
            else:
                to_source = query.source_map.to_source
                said = query_error(
                    query.file, query.sql, to_source, error, context.database, context.schema
                )
                return None, [_with_history(said, error, context, query.sql)]
    text, found = read_text(query, context.schema)
    problems = [*excuses, *found, *_not_whole(query, text, context.schema, described)]
    if text.reader is not None:
        problems += unknown_labels(query, text.reader)
    if described is None:
        problems += _misnamed(query, text, context) or _unreadable(query, text)
    elif text.reader is None and (query.params or described) and not is_show(query.sql):
        problems.append(_unread(query))
    if any(problem.severity is Severity.ERROR for problem in problems):
        return None, problems
    first, casts = described, Casts()
    if prepares is not None and first is not None and _is_computed(query, first, context.schema):
        asked = sampled(prepares, query.sql, text.params, first)
        described, casts = asked.columns, asked.casts
    typed = type_query(written, query, context.schema, text, described)
    typed = replace(
        typed, sql=casts.within(typed.sql), leaks=_leaks(context, written, text, typed.params)
    )
    if prepares is not None and context.session is not None and first is not None:
        tree = text.reader.tree if text.reader else None
        problems += unproved(prepares, context.kin, typed, first)
        problems += impossible(context.session, typed, tree, context.schema)
        if not any(problem.severity is Severity.ERROR for problem in problems):
            sent = as_read(as_sent(typed), context.kin)
            problems += refused_plan(_asked(context, context.session), typed, sent)
        if any(problem.severity is Severity.ERROR for problem in problems):
            return None, problems
    return typed, problems


def _leaks(
    context: AnalysisContext, query: ParsedQuery, text: Text, params: Sequence[TypedParam]
) -> tuple[str, ...]:
    """Return the uses of tables in which rows of other tenants may be read or written."""
    if context.tenants is None:
        return ()
    if context.session is None or _is_about(query, context.doubted):
        return ("the compiler knows the tables only from the schema's text",)
    if any(t.kind is Kind.OPENING for t in code_tokens(query.sql, Dialect.MYSQL)):
        return ("servers differ in whether they execute the comment `/*!`",)
    name = context.tenants.tenant.parameter
    number = next((param.number for param in params if param.name == name), 0)
    return context.tenants.leaks(text.reader, number)


def _asked(context: AnalysisContext, session: Session) -> Asked:
    return Asked(session, context.schema, context.for_mysql, context.forgiving, context.strict)


def _is_other(prepares: Prepares | None, query: ParsedQuery, written: ParsedQuery) -> bool:
    """Return whether columns or parameters change if MariaDB runs a query's `/*! … */` comments."""
    theirs = as_read(written.sql, MARIADB)
    if prepares is None or theirs == query.sql:
        return False
    shapes = []
    for sql in (query.sql, theirs):
        try:
            said = prepares.query(sql)
        except pymysql.MySQLError:
            return True
        shapes.append((said.parameters, [column.name for column in said.columns]))
    return shapes[0] != shapes[1]


def _is_computed(query: ParsedQuery, columns: Sequence[Described], schema: Schema) -> bool:
    """Return whether the type of a column may depend on a parameter."""
    return bool(query.params) and not all(origin_of(column, schema) for column in columns)


def _is_about(query: ParsedQuery, tables: frozenset[str]) -> bool:
    return any(mentions(query.sql, table) for table in tables)


def _not_whole(
    query: ParsedQuery, text: Text, schema: Schema, described: Sequence[Described] | None
) -> Iterator[Diagnostic]:
    """Report each `sqlc.embed(t)` that is not a whole row of one table."""
    for embed, reason in why_not_whole(query.embeds, text.reader, schema, described):
        yield Diagnostic(
            "E342",
            f"`{embed.macro}` is not a whole row of one table in this query",
            (Label(query.file, embed.span, reason),),
            hint="embed one table, view or subquery of the outermost SELECT or RETURNING; in a set"
            " operation the same table in every SELECT, at the same position; or list the columns",
        )


def _unread(query: ParsedQuery) -> Diagnostic:
    """Warn that the compiler cannot parse a query that the server accepts."""
    span = unread(query.sql)
    if span is None:
        why, label = (
            "the query is nested too deeply",
            Label(query.file, query.name_span, "split it"),
        )
    else:
        start = query.source_map.to_source(span.start)
        shown = " ".join(query.sql[span.start : span.end].split()) or "this text"
        why = f"`{shown}` is not understood"
        place = Span(start, start + span.end - span.start)
        label = Label(query.file, place, "reading ends here")
    return Diagnostic(
        "E215",
        f"{query.name} can only be partly analysed: {why}",
        (label,),
        hint="the parameters have the type `Any`, and the number of rows is not proved",
        severity=Severity.WARNING,
    )


def _history(schema: Sequence[SchemaFile]) -> Callable[[], History]:
    return cache(lambda: history_of(schema, Dialect.MYSQL))


def _with_history(
    problem: Diagnostic, error: pymysql.MySQLError, context: AnalysisContext, sql: str
) -> Diagnostic:
    """Extend the error for a missing object: name the migration that dropped or renamed it."""
    relation, column = missing_in(error, context.database)
    if relation:
        return with_past(problem, context.history().relation(relation))
    if column:
        past = context.history().column(column, names_in(sql, Dialect.MYSQL))
        return with_past(problem, past)
    return problem


def _misnamed(query: ParsedQuery, text: Text, context: AnalysisContext) -> list[Diagnostic]:
    """Return the errors that a server would report for unknown tables and columns."""
    if text.reader is None:
        return []
    to_source = query.source_map.to_source
    schema = text.reader.schema
    return [
        _with_history(
            query_error(query.file, query.sql, to_source, error, "", schema),
            error,
            context,
            query.sql,
        )
        for error in unknown_names(text.reader)
    ]


def _unreadable(query: ParsedQuery, text: Text) -> list[Diagnostic]:
    if text.reader is not None and text.result.outputs is not None:
        return []
    return [
        Diagnostic(
            "E218",
            f"{query.name} cannot be analysed without a server",
            (
                Label(
                    query.file,
                    query.name_span,
                    "the result type cannot be inferred without a server",
                ),
            ),
            hint="install MariaDB's server, or set `database.uri`",
        )
    ]


def _without_rows(parsed: ParsedQuery) -> Diagnostic:
    if is_call(parsed.sql):
        return Diagnostic(
            "E321",
            f":{parsed.command} needs rows, but it is unknown which rows this CALL returns",
            (Label(parsed.file, parsed.name_span),),
            hint="the rows are known if the procedure's body has one SELECT without INTO, outside"
            " of IF, CASE, loops and handlers, and no other statement that may return rows; use"
            " :exec if the procedure returns no rows (OUT parameters are not rows)",
        )
    return Diagnostic(
        "E321",
        f":{parsed.command} needs rows, but this statement returns no rows",
        (Label(parsed.file, parsed.name_span),),
        hint="use :exec, :execrows or :execlastid",
    )


def _fewer(parsed: ParsedQuery) -> str:
    """Return a hint that says how to change a query to return at most one row."""
    if is_call(parsed.sql):
        return "let the procedure's SELECT match a whole unique key or have LIMIT 1, or use :many"
    if is_show(parsed.sql):
        return "use :many"
    if any(embed.nest for embed in parsed.embeds):
        return "match a whole unique key, or use :many"
    return "match a whole unique key, add LIMIT 1, or use :many"


def _misuse(query: TypedQuery, options: AnalyzeOptions) -> Iterator[Diagnostic]:
    """Yield an error if a query's result does not fit its command or the generated function."""
    parsed = query.parsed
    yield from nest_problems(query)
    if parsed.command.returns_rows and not query.columns:
        yield _without_rows(parsed)
    if parsed.command is Command.ONE and query.columns and not query.cardinality.at_most_one:
        yield Diagnostic(
            "E320",
            f"{parsed.name} is `:one`, but may return several rows",
            (
                Label(
                    parsed.file,
                    parsed.name_span,
                    query.cardinality_reasons[0] if query.cardinality_reasons else "",
                ),
            ),
            hint=_fewer(parsed),
            severity=Severity.ERROR if options.strict else Severity.WARNING,
        )
    sets_id = query.insert_into is not None or mentions(query.sql, "LAST_INSERT_ID")
    if parsed.command is Command.EXECLASTID and not sets_id:
        yield Diagnostic(
            "E414",
            f"{parsed.name} is :execlastid, but inserts nothing",
            (Label(parsed.file, parsed.name_span, "the function would always return 0"),),
            hint="only an INSERT, a REPLACE or `LAST_INSERT_ID(…)` makes an id; use :execrows",
        )
    if parsed.command is Command.EXECLASTID and query.columns:
        yield Diagnostic(
            "E414",
            f"{parsed.name} is :execlastid, but RETURNING returns rows instead of an id",
            (Label(parsed.file, parsed.name_span, "the function would always return 0"),),
            hint="use :one, or :many for several rows, or remove RETURNING",
        )
