"""Parse text access logs, a chunk of lines with one regular expression."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

from observability.nginx_exporter.hits import Hit
from observability.nginx_exporter.log_format import compile_format

CLASSIC: Final = (
    '$remote_addr $host $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent" $upstream_response_time'
)
"""The combined format plus the upstream's time; the second field, `$host`, may be `-`."""

_FACTS: Final = ("method", "path", "status", "size", "duration", "upstream")
_STATUS: Final = _FACTS.index("status")


class TextLines:
    """A parser for lines of one `log_format`."""

    def __init__(self, template: str, *, upstream_is_duration: bool = False) -> None:
        """Create a parser. `template` is the format's string or a `log_format …;` directive.

        With `upstream_is_duration`, a format without `$request_time` fills the request histogram
        too. Raises FormatError for an invalid format.
        """
        expression = compile_format(template)
        groups = dict(expression.groupindex)
        if upstream_is_duration:
            groups["duration"] = groups["upstream"]
        self._find = expression.findall
        # A fact the format does not know is read from the last group, which is empty.
        self._hit = itemgetter(*(groups.get(fact, expression.groups) - 1 for fact in _FACTS))

    def parse(self, lines: bytes) -> tuple[Sequence[Hit], int]:
        """See `Parser.parse`."""
        rows = self._rows(lines.decode("utf-8", "replace"))
        hits = [hit for hit in map(self._hit, rows) if hit[_STATUS]]
        return hits, len(rows) - len(hits)

    def connections(self, lines: bytes) -> int:  # noqa: ARG002 - of the protocol
        """Return 0, because text formats do not log the start of connections."""
        return 0

    def _rows(self, text: str) -> list[Any]:
        rows = self._find(text)
        # Each match took at least one line, so where there are as many, each took exactly one.
        if len(rows) == text.count("\n"):
            return rows
        # Only a newline ends a line: str.splitlines would also cut at characters a client sent.
        return [row for line in text.split("\n") if line for row in self._find(line + "\n")]
