"""Write a name in backticks if a server would not read the bare name as a name."""

from __future__ import annotations

import re

from sqlglot.dialects.mysql import MySQL

# A name that starts with an underscore may be a character set: `_latin1`.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
# Reserved words that the manual of the other server lacks. A test compares the server's list.
_MARIADB = frozenset(
    {
        "current_role", "delete_domain_id", "do_domain_ids", "ignore_domain_ids",
        "master_demote_to_replica", "master_demote_to_slave", "offset", "page_checksum",
        "parse_vcol_expr", "portion", "ref_system_id", "returning", "row_number", "rows",
        "sql_buffer_result", "sql_cache", "sql_no_cache", "stats_auto_recalc", "stats_persistent",
        "stats_sample_pages", "vector",
    }
)  # fmt: skip
_MYSQL = frozenset(
    {
        "cube", "cume_dist", "dense_rank", "empty", "except", "external", "first_value", "function",
        "grouping", "groups", "intersect", "json_table", "lag", "last_value", "lateral", "lead",
        "library", "manual", "nth_value", "ntile", "of", "over", "parallel", "percent_rank",
        "qualify", "rank", "recursive", "row", "rows", "row_number", "sets", "system",
        "tablesample", "window",
    }
)  # fmt: skip
_RESERVED = frozenset(MySQL.Generator.RESERVED_KEYWORDS) | _MARIADB | _MYSQL


def quoted(name: str) -> str:
    """Return an identifier, in backticks if necessary."""
    if _PLAIN.match(name) and name.lower() not in _RESERVED:
        return name
    return "`" + name.replace("`", "``") + "`"
