"""`python -m tools.schema_page`: write docs/schema.md from the migrations, applied to a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import psycopg

from devstack.settings import ROOT
from devstack.testing import postgres
from tools import events_page

PAGE: Final = ROOT / "docs" / "schema.md"
MIGRATIONS: Final = ROOT / "migrations"

_COLUMNS: Final = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
  coalesce((SELECT string_agg(k.what, ', ' ORDER BY k.what) FROM (
    SELECT CASE x.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique'
           ELSE '→ ' || x.confrelid::regclass::text END AS what
    FROM pg_constraint x
    WHERE x.conrelid = c.oid AND x.contype IN ('p', 'u', 'f') AND a.attnum = ANY (x.conkey)) k), '')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND a.attnum > 0 AND NOT a.attisdropped AND c.relname NOT LIKE '%yoyo%'
  AND c.relname NOT LIKE '%schema_version%'
ORDER BY c.relname, a.attnum
"""


def page(create: Callable[[str], str]) -> str:
    """Return the page; `create` makes a migrated database of the given name and returns its URL."""
    lines = [
        "# The schema",
        "",
        "Every database with its tables, after all migrations; regenerate the page with",
        "`make render`. The comments in `migrations/<database>/` explain the columns.",
        "For databases that also run on MySQL, the types are PostgreSQL's; the names are the same.",
    ]
    topics = events_page.published()
    for folder in sorted(path for path in MIGRATIONS.iterdir() if path.is_dir()):
        lines += ["", f"## {folder.name}"]
        with psycopg.connect(create(folder.name)) as connection:
            last = None
            for table, *column in connection.execute(_COLUMNS).fetchall():
                if table != last:
                    lines += [
                        "",
                        f"### `{table}`",
                        "",
                        *(_published(topics.get(folder.name, ())) if table == "outbox" else ()),
                        "| column | type | | |",
                        "|---|---|---|---|",
                    ]
                    last = table
                name, type_, required, keys = column
                null = "" if required else "may be null"
                lines.append(f"| `{name}` | {type_} | {null} | {keys} |")
    return "\n".join(lines) + "\n"


def _published(topics: Iterable[str]) -> list[str]:
    """Return the sentence about the topics that an outbox publishes.

    Every database has an outbox, even if the service publishes nothing.
    """
    names = ", ".join(f"`{topic}`" for topic in sorted(topics))
    said = f"publishes {names}" if names else "stays empty, because the service publishes no events"
    return [f"It {said} ([events](events.md)).", ""]


def write(path: Path = PAGE) -> None:
    """Write the page with the help of a temporary server."""
    with postgres.running(MIGRATIONS) as server:
        path.write_text(page(server.create))


if __name__ == "__main__":
    write()
