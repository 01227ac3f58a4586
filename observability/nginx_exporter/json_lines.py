"""Reads JSON access logs, a whole chunk of lines in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
"""Which JSON key holds which fact, unless the command line says otherwise."""


class JsonLines:
    """A parser for one JSON object a line; keys that are not asked for are skipped."""

    def __init__(self, keys: Mapping[str, str] = KEYS) -> None:
        """`keys` maps our facts to the log's keys; facts left out keep their usual key."""
        line = msgspec.defstruct(
            "Line",
            [
                ("status", int | str),
                ("method", str, ""),
                ("path", str, ""),
                ("size", Number, None),
                ("duration", Number, None),
                ("upstream", Number, None),
            ],
            rename={**KEYS, **keys},
            gc=False,  # Holds no cycles, and the collector would walk every line otherwise.
        )
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(line)

    def parse(self, lines: bytes) -> tuple[Sequence[Hit], int]:
        """See `Parser.parse`."""
        try:
            return self._decoder.decode_lines(lines), 0
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return self._one_by_one(lines)

    def _one_by_one(self, lines: bytes) -> tuple[list[Hit], int]:
        hits: list[Hit] = []
        errors = 0
        for line in filter(None, lines.split(b"\n")):
            try:
                hits.append(self._decoder.decode(_valid(line)))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                errors += 1
        return hits, errors


def _valid(line: bytes) -> bytes:
    """The line as UTF-8: NGINX passes a client's stray bytes through its JSON escaping."""
    return line if line.isascii() else line.decode("utf-8", "replace").encode()
