"""The statistics of a production database: sizes of relations, and distributions of columns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Final

from msgspec import Struct

# The keys of a column's statistics, as pg_restore_attribute_stats() names them, with their types.
KEYS: Final[Mapping[str, str]] = {
    "null_frac": "real",
    "avg_width": "integer",
    "n_distinct": "real",
    "most_common_vals": "text",
    "most_common_freqs": "real[]",
    "histogram_bounds": "text",
    "correlation": "real",
    "most_common_elems": "text",
    "most_common_elem_freqs": "real[]",
    "elem_count_histogram": "real[]",
    "range_length_histogram": "text",
    "range_empty_frac": "real",
    "range_bounds_histogram": "text",
}
# The keys whose texts are values of rows, with the keys that have no meaning without them.
VALUES: Final = frozenset(
    {"most_common_vals", "most_common_freqs", "histogram_bounds", "most_common_elems"}
    | {"most_common_elem_freqs", "range_length_histogram", "range_bounds_histogram"}
    | {"range_empty_frac"}
)
# The settings of a server that its planner reads.
SETTINGS: Final = (
    "seq_page_cost", "random_page_cost", "cpu_tuple_cost", "cpu_index_tuple_cost",
    "cpu_operator_cost", "parallel_setup_cost", "parallel_tuple_cost", "effective_cache_size",
    "work_mem", "hash_mem_multiplier", "max_parallel_workers_per_gather",
    "min_parallel_table_scan_size", "min_parallel_index_scan_size", "from_collapse_limit",
    "join_collapse_limit", "enable_partitionwise_join", "enable_partitionwise_aggregate",
    "constraint_exclusion", "cursor_tuple_fraction",
)  # fmt: skip


def is_setting(name: str) -> bool:
    """Return whether a setting affects the planner: it is in `SETTINGS`, or is named `enable_…`."""
    return name in SETTINGS or name.startswith("enable_")


class RelationSize(Struct, frozen=True):
    """The size of a table or index: the number of 8 KB pages, and of rows (-1 if never counted).

    `visible` is the number of pages whose rows are all visible to every transaction.
    """

    schema: str
    name: str
    pages: int
    rows: float
    visible: int = 0


class ColumnStatistics(Struct, frozen=True):
    """The statistics of a column: names and values as texts, as in PostgreSQL's `pg_stats`.

    `column` is the name of a table's column, or the number of an index's column. `inherited` means
    that the statistics include the rows of child tables.
    """

    schema: str
    relation: str
    column: str
    values: tuple[tuple[str, str], ...]
    inherited: bool = False


class Statistics(Struct, frozen=True, dict=True):
    """The statistics of one database.

    `server` is the server's release. `settings` are the settings that the planner reads.
    `with_values` means that the columns have most common values and histograms.
    """

    server: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    relations: tuple[RelationSize, ...] = ()
    columns: tuple[ColumnStatistics, ...] = ()
    with_values: bool = True

    @cached_property
    def sizes(self) -> Mapping[tuple[str, str], RelationSize]:
        """Return the size of each table and index, by schema and name."""
        return {(item.schema, item.name): item for item in self.relations}
