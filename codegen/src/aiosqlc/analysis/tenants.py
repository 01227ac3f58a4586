"""Report queries that are not proved to access only one tenant's rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import Tenant, TypedQuery

EVERY_TENANT = "tenant"
"""The entry in a query's ignored codes that stands for the line `-- tenant: all REASON`."""


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
