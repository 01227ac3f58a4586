"""Which label sets there is room for, so that no client decides how large the page becomes."""

from __future__ import annotations

from typing import Final

from observability.nginx_exporter.routes import OTHER

Labels = tuple[str, str, str]
"""Method, status and route."""

MAX_SAMPLES: Final = 12_000
"""What a page may hold unless told otherwise; Prometheus is set to refuse one of 20,000."""

_ANYWHERE: Final = frozenset({"401", "404", "405", "408", "413", "414", "429", "431"})
"""Refusals that anyone gets on every route with every method: they say nothing of either."""


def series_within(samples: int, buckets: int) -> int:
    """How many series the samples suffice for: two counters, and two histograms of buckets."""
    return samples // (2 + 2 * (buckets + 3))


class Places:
    """Gives each label set the narrowest place that is left.

    A quarter of the places is for refusals and half is for answers and failures; the rest is for
    what finds no room in these, told apart by its status alone.
    """

    def __init__(self, most: int) -> None:
        """`most` is the limit of label sets."""
        refusals, others = most // 4, most // 2
        self._left = {"refusal": refusals, "other": others, "status": most - refusals - others - 1}
        self._taken: set[Labels] = set()

    def find(self, labels: Labels) -> Labels:
        """The label set under which to count, which has its place from now on."""
        _, status, _ = labels
        kind = "refusal" if status.startswith("4") else "other"
        by_status = (OTHER, status, OTHER)
        if status not in _ANYWHERE and labels != by_status and self._takes(labels, kind):
            return labels
        return by_status if self._takes(by_status, "status") else (OTHER, OTHER, OTHER)

    def _takes(self, labels: Labels, kind: str) -> bool:
        if labels in self._taken:
            return True
        if not self._left[kind]:
            return False
        self._left[kind] -= 1
        self._taken.add(labels)
        return True
