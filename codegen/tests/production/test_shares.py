"""The share of rows in a partial index follows from the statistics of the columns it tests."""

from __future__ import annotations

import pytest
from aiosqlc.analysis.planned.statistics import ColumnStatistics, RelationSize, Statistics
from aiosqlc.postgres.planning.shares import share_of

TABLE = RelationSize("public", "orders", 10, 1000)


def column(name: str, **values: str) -> ColumnStatistics:
    return ColumnStatistics("public", "orders", name, tuple(values.items()))


STATISTICS = Statistics(
    columns=(
        column(
            "status",
            n_distinct="4",
            most_common_vals='{done,"it\'s, \\"odd\\"",open}',
            most_common_freqs="{0.9,0.06,0.03}",
        ),
        column("paid", n_distinct="2", most_common_vals="{t,f}", most_common_freqs="{0.75,0.25}"),
        column("phone", null_frac="0.8", n_distinct="-0.2"),
        column("kind", n_distinct="50"),
    )
)


@pytest.mark.parametrize(
    ("predicate", "share"),
    [
        ("(status = 'open'::text)", 0.03),
        ("(status = 'it''s, \"odd\"'::text)", 0.06),
        ("((status)::text = 'open'::text)", 0.03),
        ("(status = 'unknown'::text)", 0.25),
        ("(paid = true)", 0.75),
        ("(kind = 7)", 0.02),
        ("(phone IS NOT NULL)", 0.2),
        ("(phone IS NULL)", 0.8),
        ("((status = 'open'::text) AND (phone IS NOT NULL))", 0.006),
        ("((status = 'open'::text) OR (kind = 7))", 1.0),
        ("(lower(status) < 'x'::text)", 1.0),
        ("(missing = 3)", 0.005),
    ],
)
def test_a_share_follows_from_the_columns(predicate: str, share: float) -> None:
    assert share_of(STATISTICS, TABLE, predicate) == pytest.approx(share)
