"""Report queries that are not proved to access only one tenant's rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import AnalyzeOptions, Tenant, TypedQuery
from aiosqlc.messages.suggest import did_you_mean

EVERY_TENANT = "tenant"
"""The entry in a query's ignored codes that stands for the line `-- tenant: all REASON`."""


def unknown_tenant_names(
    options: AnalyzeOptions, tables: Iterable[str], others: Iterable[str]
) -> Iterator[Diagnostic]:
    """Yield an error for each name in the settings of `tenant` that matches nothing.

    `tables` are the names of all tables, and `others` are further names that `shared` may contain.
    """
    tenant = options.tenant
    if tenant is None:
        return
    of_tables = set(tables)
    labels = (Label(*options.tenant_at, ""),) if options.tenant_at else ()
    for key, names, known, what in (
        ("table", (tenant.table,) if tenant.table else (), of_tables, "table"),
        ("shared", tenant.shared, of_tables | set(others), "table, function or trigger"),
    ):
        for name in names:
            if name not in known:
                beside = sorted(one for one in known if one.endswith(f".{name}"))
                yield Diagnostic(
                    "E003",
                    f"`tenant.{key}` contains `{name}`, but there is no such {what}",
                    labels,
                    f"write the name with its schema: `{'` or `'.join(beside)}`"
                    if beside
                    else did_you_mean(name, known),
                )


def check_tenants(queries: Iterable[TypedQuery], tenant: Tenant | None) -> Iterator[Diagnostic]:
    """Yield an error for each query that may access other tenants' rows.

    A query with the line `-- tenant: all REASON` is not reported.
    """
    if tenant is None:
        return
    for query in queries:
        parsed = query.parsed
        declared = any(code == EVERY_TENANT for code, _ in parsed.ignores)
        if query.leaks and not declared:
            first, *more = query.leaks
            rest = f", and {len(more)} more" if len(more) > 1 else f"; {more[0]}" if more else ""
            yield Diagnostic(
                "E374",
                f"`{parsed.name}` may touch another tenant's rows: {first}{rest}",
                (Label(parsed.file, parsed.name_span, "not proved"),),
                f"compare the column `{tenant.column}` with the parameter `{tenant.parameter}`, "
                "add the table to `tenant.shared` if its rows belong to all tenants, or write "
                "`-- tenant: all REASON` above the query",
            )
