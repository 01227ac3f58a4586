"""The signatures of functions: of schema functions, and of built-ins from the server's HELP."""

from __future__ import annotations

from collections.abc import Sequence

import pymysql

from aiosqlc.ir import AnalyzeOptions, SchemaFile
from aiosqlc.mysql.opened import opened
from aiosqlc.servers.mysql.session import Session

_OWN = """
SELECT concat(r.routine_name, '(', coalesce(group_concat(
    concat(p.parameter_name, ' ', p.dtd_identifier) ORDER BY p.ordinal_position SEPARATOR ', '
), ''), ') → ', r.dtd_identifier), r.routine_comment
FROM information_schema.routines AS r
LEFT JOIN information_schema.parameters AS p ON p.specific_schema = r.routine_schema
    AND p.specific_name = r.specific_name AND p.ordinal_position > 0
WHERE r.routine_schema = DATABASE() AND r.routine_type = 'FUNCTION' AND r.routine_name = %s
GROUP BY r.routine_name, r.dtd_identifier, r.routine_comment
"""
_HELP = "SELECT description FROM mysql.help_topic WHERE name IN (%s, concat(%s, ' FUNCTION'))"


def signatures(
    schema: Sequence[SchemaFile], options: AnalyzeOptions, name: str
) -> list[tuple[str, str]]:
    """Return the signatures and descriptions of the functions that have this name."""
    with opened(schema, options) as found:
        if found is None:
            return []
        own = [(str(call), str(said)) for call, said in found.session.rows(_OWN, name)]
        return own or _of_the_server(found.session, name)


def _of_the_server(session: Session, name: str) -> list[tuple[str, str]]:
    try:
        topics = session.rows(_HELP, name, name)
    except pymysql.MySQLError:  # the account has no privilege to read the table
        return []
    return [call for (text,) in topics for call in _calls(str(text), name)]


def _calls(text: str, name: str) -> list[tuple[str, str]]:
    """Return the call forms at the start of a HELP topic, each with the topic's first paragraph."""
    syntax, _, rest = text.partition("Description\n")
    calls = [line.strip() for line in syntax.split("\n")]
    said = next((" ".join(part.split()) for part in rest.lstrip("-\n").split("\n\n")), "")
    begins = f"{name.lower()}("
    return [(call, said) for call in calls if call.lower().startswith(begins) and ")" in call]
