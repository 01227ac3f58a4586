"""Run many prepared statements on one data set in one round trip, and digest their answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.tenants.tables import TABLES

# The changes of a statement are undone. Errors of constraints (class 23) are kept apart, because
# constraints look at all rows: a key may be in use, and a foreign key may refer to a row.
_ATTEMPT = """\
CREATE FUNCTION attempt(statement text, returns bool, writes bool, OUT answer text, OUT own text,
    OUT others text, OUT rows int) LANGUAGE plpgsql AS $$
DECLARE
    line record;
    lines text[] := '{}';
BEGIN
    BEGIN
        IF returns THEN
            FOR line IN EXECUTE statement LOOP
                lines := lines || line::text;
            END LOOP;
        ELSE
            EXECUTE statement;
        END IF;
        rows := cardinality(lines);
        answer := (SELECT string_agg(l, ' ' ORDER BY l COLLATE "C") FROM unnest(lines) l);
        IF writes THEN
            SELECT s.own, s.others INTO own, others FROM state() s;
            RAISE EXCEPTION 'undo' USING ERRCODE = 'UN000';
        END IF;
    EXCEPTION WHEN OTHERS THEN
        IF SQLSTATE <> 'UN000' THEN
            answer := 'error ' || SQLSTATE;
            rows := -1;
            own := NULL;
            others := NULL;
        END IF;
    END;
END $$;
CREATE FUNCTION attempts(statements text[], returns bool[], writes bool[])
    RETURNS TABLE (answer text, own text, others text, rows int) LANGUAGE plpgsql AS $$
BEGIN
    FOR at IN 1 .. cardinality(statements) LOOP
        RETURN QUERY SELECT * FROM attempt(statements[at], returns[at], writes[at]);
    END LOOP;
END $$;
"""


@dataclass(frozen=True)
class Prepared:
    """A prepared statement: its name, its parameters' names, and what it does."""

    name: str
    text: str
    params: tuple[str, ...]
    returns: bool
    writes: bool

    def call(self, values: Sequence[int]) -> str:
        """Return the statement that executes it."""
        return f"EXECUTE {self.name}" + (f"({', '.join(map(str, values))})" if values else "")


@dataclass(frozen=True)
class Answer:
    """The rows of a statement as a text, and after a write all rows of tenant 1, and of others.

    `rows` is the number of returned rows, or -1 for an error, which is then the text.
    """

    answer: str | None
    own: str | None
    others: str | None
    rows: int

    @property
    def constraint(self) -> bool:
        """Return whether a constraint rejected a row."""
        return self.rows < 0 and (self.answer or "").startswith("error 23")


def create(connection: psycopg.Connection[Any], schema: str) -> None:
    """Create the tables, and the functions that run statements and give the tables' rows."""
    connection.execute(schema.encode())
    connection.execute(_state().encode())
    connection.execute(_ATTEMPT.encode())


def _state() -> str:
    """Return a function that gives the rows of tenant 1, and the rows of the others, as texts."""
    digests = [
        "(SELECT string_agg(r, ' ' ORDER BY r COLLATE \"C\") FROM ("
        + " UNION ALL ".join(
            f"SELECT '{table}' || t::text AS r FROM {'ONLY ' * stored.parent}{table} t"
            f" WHERE ({stored.own}) {truth}"
            for table, stored in TABLES.items()
            if not stored.unchecked
        )
        + ") s)"
        for truth in ("IS TRUE", "IS NOT TRUE")
    ]
    return (
        "CREATE FUNCTION state(OUT own text, OUT others text) LANGUAGE plpgsql AS"
        f" $$ BEGIN SELECT {', '.join(digests)} INTO own, others; END $$;"
    )


def state(connection: psycopg.Connection[Any]) -> str:
    """Return the rows of other tenants."""
    found = connection.execute("SELECT others FROM state()").fetchone()
    assert found
    return str(found[0])


def prepare(connection: psycopg.Connection[Any], statements: Sequence[Prepared]) -> None:
    """Prepare statements, whose parameters are all integers, instead of the earlier ones."""
    connection.execute("DEALLOCATE ALL")
    text = "".join(f"PREPARE {s.name}{_types(len(s.params))} AS {s.text};\n" for s in statements)
    connection.execute(text.encode())


def _types(number: int) -> str:
    return f"({', '.join(['int'] * number)})" if number else ""


def attempts(
    connection: psycopg.Connection[Any], calls: Sequence[tuple[Prepared, Sequence[int]]]
) -> Iterator[Answer]:
    """Execute prepared statements, each on the unchanged data set, and yield their answers."""
    found = connection.execute(
        "SELECT * FROM attempts(%s, %s, %s)",
        (
            [one.call(values) for one, values in calls],
            [one.returns for one, _ in calls],
            [one.writes for one, _ in calls],
        ),
    )
    for row in found:
        yield Answer(*row)
