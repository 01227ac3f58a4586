"""Parse JSON access logs, a chunk of lines per call."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from observability.nginx_exporter.hits import Hit, Number

KEYS: Final[Mapping[str, str]] = {
    "method": "method",
    "path": "path",
    "status": "status",
    "size": "bytes_sent",
    "duration": "duration",
    "upstream": "upstream_time",
}
"""The JSON key of each value to parse; the command line can change the keys."""


_FIRST: Final = re.compile(rb'"connection_requests": ?"?1"?[,}]')
# Brackets in brackets without end exhaust the decoder's stack, not its patience.
_NOT_OURS: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_hit: Final[Callable[[Any], Hit]] = msgspec.structs.astuple


class JsonLines:
    """A parser for lines with one JSON object each. Keys that it does not need are skipped."""

    def __init__(self, keys: Mapping[str, str] = KEYS) -> None:
        """Create a parser.

        `keys` maps names in `KEYS` to keys of the log; omitted names keep the default key.
        """
        line = msgspec.defstruct(
            "Line",
            [  # In the order of a Hit.
                ("method", str, ""),
                ("path", str, ""),
                ("status", int | str),
                ("size", Number, None),
                ("duration", Number, None),
                ("upstream", Number, None),
            ],
            rename={**KEYS, **keys},
            kw_only=True,
            gc=False,  # Holds no cycles, and the collector would walk every line otherwise.
        )
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(line)

    def parse(self, lines: bytes) -> tuple[Sequence[Hit], int]:
        """See `Parser.parse`."""
        try:
            return [*map(_hit, self._decoder.decode_lines(lines))], 0
        except _NOT_OURS:
            return self._one_by_one(lines)

    def connections(self, lines: bytes) -> int:
        """Count the lines with `connection_requests` 1, as `Parser.connections` requires.

        The lines are counted in the text without parsing them, which takes almost no time. No
        client can write the key: NGINX escapes the quotes in a client's text with a backslash.
        """
        return len(_FIRST.findall(lines))

    def _one_by_one(self, lines: bytes) -> tuple[list[Hit], int]:
        hits: list[Hit] = []
        errors = 0
        for line in filter(None, lines.split(b"\n")):
            try:
                hits.append(_hit(self._decoder.decode(_valid(line))))
            except _NOT_OURS:
                errors += 1
        return hits, errors


def _valid(line: bytes) -> bytes:
    """Replace invalid UTF-8. NGINX's JSON escaping does not change a client's invalid bytes."""
    return line if line.isascii() else line.decode("utf-8", "replace").encode()
