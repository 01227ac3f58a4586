"""Execute the query of a refutation again, on the same rows with the same arguments."""

from __future__ import annotations

from aiosqlc.postgres import Analyzer

from bench.soundness.corpora import own_suites
from bench.soundness.executing import Trial, data_set, database_of
from bench.soundness.model import Refutation, Suite
from bench.soundness.random_suites import PREFIX, plain_schema

_MOST = 12  # rows that are shown


def suite_named(analyzer: Analyzer, name: str) -> Suite:
    """Return the schema of a suite, without the queries of a random one."""
    if name.startswith(PREFIX):
        schema = plain_schema(int(name.removeprefix(PREFIX)))
        return Suite(name, tuple(schema.statements), ())
    return next(suite for suite in own_suites(analyzer.analyze) if suite.name == name)


def replay(analyzer: Analyzer, row: Refutation) -> str:
    """Return the claim, the schema, the query and its rows, as text."""
    suite = suite_named(analyzer, row.suite)
    with database_of(analyzer, suite) as rows, data_set(rows, row.rows):
        (answer,) = rows.run([Trial(row.sql, row.arguments)])
        said = answer.refusal
        shown = [answer.row(number) for number in range(min(answer.rows, _MOST))]
        count = answer.rows
    arguments = (
        ", ".join(f"${n} = {value!r}" for n, value in enumerate(row.arguments, 1)) or "no arguments"
    )
    lines = [
        *suite.sql.splitlines(), "", f"{row.sql};", f"-- data set {row.rows}; {arguments}", "",
        f"claim of {row.peer}: {row.claim}", f"observed: {row.observed}", "", f"{count} rows",
        *shown, *([said] if said else []),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
