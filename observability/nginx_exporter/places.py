"""Limit the number of label sets, so that no client decides the size of the metrics page."""

from __future__ import annotations

from typing import Final

from observability.nginx_exporter.routes import OTHER

Labels = tuple[str, str, str]
"""A label set: method, status and route."""

MAX_SAMPLES: Final = 12_000
"""The default limit of samples; Prometheus is configured to refuse a page with 20,000 samples."""

_ANYWHERE: Final = frozenset({"401", "404", "405", "408", "413", "414", "429", "431"})
"""The statuses that any client can cause on any path, so route and method are not recorded."""


def series_within(samples: int, buckets: int) -> int:
    """Return how many series fit into a number of samples, if each series has `buckets` buckets."""
    return samples // (2 + 2 * (buckets + 3))


class Places:
    """Limit the number of label sets: replace labels by `other` when no label set is left.

    A quarter of the label sets is for 4xx responses, and half is for other responses. The rest is
    for requests that find no free label set in these parts; only their status is recorded.
    """

    def __init__(self, most: int) -> None:
        """Create the limit; `most` is the maximum number of label sets."""
        refusals, others = most // 4, most // 2
        self._left = {"refusal": refusals, "other": others, "status": most - refusals - others - 1}
        self._taken: set[Labels] = set()

    def find(self, labels: Labels) -> Labels:
        """Return the label set under which a request is counted.

        A new label set takes one place of the limit on label sets. If no place is left, the result
        is a more general label set.
        """
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
