"""Look up the signatures of the server's functions."""

from __future__ import annotations

from aiosqlc.ir import AnalyzeOptions, SchemaFile
from aiosqlc.postgres.analyze import Analyzer

_SQL = """
select p.proname || '(' || pg_get_function_arguments(p.oid) || ') → '
    || coalesce(pg_get_function_result(p.oid), 'nothing'), coalesce(obj_description(p.oid), '')
from pg_proc as p
where p.proname = $1 and pg_function_is_visible(p.oid)
order by p.pronargs, p.oid limit 30
"""


def signatures(
    analyzer: Analyzer, schema: tuple[SchemaFile, ...], options: AnalyzeOptions, name: str
) -> list[tuple[str, str]]:
    """Return the signature and the comment of each function that has this name."""
    opened = analyzer.opened(schema, options)
    if opened is None:
        return []
    result = opened[0].execute(_SQL, [name.lower()])
    texts = [
        [(result.get_value(row, column) or b"").decode() for column in range(2)]
        for row in range(result.ntuples)
    ]
    return [(call, comment) for call, comment in texts]
