"""Compiles an NGINX `log_format` string to a parser."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from observability.nginx_exporter.hits import Hit, Number, split_request

CLASSIC: Final = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent" $upstream_response_time'
)
"""The combined format followed by the upstream's time."""

Escape = Literal["default", "json", "none"]

_TIMES: Final = r"(?:[\d.]+|-)(?:(?: ?, | : )(?:[\d.]+|-))*|"
_SHAPES: Final = {
    "status": r"\d{3}|-|",
    "body_bytes_sent": r"\d+|-|",
    "bytes_sent": r"\d+|-|",
    "request_length": r"\d+|-|",
    "request_time": r"[\d.]+|-|",
    "upstream_response_time": _TIMES,
    "upstream_connect_time": _TIMES,
    "upstream_header_time": _TIMES,
    "time_local": r"[^\]\"]*?",
}
# What is never written with a space in it; everything else may be what a client typed.
_WORDS: Final = frozenset(
    {
        *("remote_addr", "remote_port", "realip_remote_addr", "server_addr", "server_port"),
        *("request_method", "request_uri", "server_protocol", "scheme", "host", "server_name"),
        *("time_iso8601", "msec", "pid", "connection", "connection_requests", "request_id"),
        *("pipe", "hostname", "nginx_version", "gzip_ratio", "ssl_protocol", "ssl_cipher"),
    }
)
_FACTS: Final = {
    "method": ("request_method",),
    "path": ("request_uri", "uri"),
    "status": ("status",),
    "size": ("body_bytes_sent", "bytes_sent"),
    "duration": ("request_time",),
    "upstream": ("upstream_response_time",),
    "request": ("request",),
}
_TOKEN: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_QUOTED: Final = re.compile(r"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s'";]+)|(;))""")


class FormatError(ValueError):
    """A format that cannot be read back; the message is one sentence."""


class TextHit(NamedTuple):
    """One line of a text log."""

    method: str
    path: str
    status: str
    size: Number
    duration: Number
    upstream: Number


class TextLines:
    """A parser for lines written by one `log_format`."""

    def __init__(self, template: str, *, upstream_is_duration: bool = False) -> None:
        """`template` is the format's string, or the whole `log_format …;` directive.

        `upstream_is_duration` lets a format without `$request_time` fill the request histogram.
        Raises FormatError.
        """
        self._pattern = compile_format(template)
        groups = self._pattern.groupindex
        self._has_request = "request" in groups
        self._duration = "upstream" if upstream_is_duration else "duration"

    def parse(self, lines: bytes) -> tuple[Sequence[Hit], int]:
        """See `Parser.parse`."""
        hits: list[Hit] = []
        errors = 0
        # Only a newline ends a line: str.splitlines would also cut at characters a client sent.
        for line in filter(None, lines.decode("utf-8", "replace").split("\n")):
            match = self._pattern.fullmatch(line)
            if match is None:
                errors += 1
            else:
                hits.append(self._hit(match.groupdict()))
        return hits, errors

    def _hit(self, facts: dict[str, str]) -> TextHit:
        method, path = split_request(facts["request"]) if self._has_request else ("", "")
        return TextHit(
            facts.get("method", method),
            facts.get("path", path),
            facts["status"],
            facts.get("size"),
            facts.get(self._duration),
            facts.get("upstream"),
        )


def compile_format(template: str) -> re.Pattern[str]:
    """The expression that reads lines of the format back, one named group per known fact.

    Raises FormatError when the format has no `$status`, or cannot be read unambiguously.
    """
    template, escape = _directive(template)
    pieces = _TOKEN.split(template)
    names = [braced or plain for braced, plain in zip(pieces[1::3], pieces[2::3], strict=True)]
    literals = pieces[3::3]
    if "status" not in names:
        raise FormatError("The log format has no $status, so nothing can be counted by it.")
    facts = _choose(names)
    free = 0
    expression = re.escape(pieces[0])
    for position, (name, literal) in enumerate(zip(names, literals, strict=True)):
        last = position == len(names) - 1
        if not literal and not last:
            after = names[position + 1]
            raise FormatError(f"The log format needs a character between ${name} and ${after}.")
        shape = _shape(name, literal, escape)
        free += shape == ".*?"
        group = f"(?P<{facts.pop(position)}>{shape})" if position in facts else f"(?:{shape})"
        expression += group + re.escape(literal)
    if free > 2:
        # Each multiplies the time a hostile line can take; two is what common formats need.
        raise FormatError("The log format has too many values without quotes; quote some of them.")
    return re.compile(expression, re.DOTALL)


def _directive(text: str) -> tuple[str, Escape]:
    """The format's string and escaping, of a bare string or a pasted directive."""
    if not text.lstrip().startswith("log_format"):
        return text, "default"
    escape: Escape = "default"
    parts: list[str] = []
    position, words = 0, 0
    while position < len(text.rstrip()):
        token = _QUOTED.match(text, position)
        if token is None:
            raise FormatError("The log_format directive has a quote that is never closed.")
        position = token.end()
        single, double, word, end = token.groups()
        if end:
            break
        words += word is not None
        if word is not None and words <= 2:
            continue  # The directive's own name and the format's.
        if word is not None and not parts and word.startswith("escape="):
            escape = _escape(word.removeprefix("escape="))
        else:
            parts.append(_unquote(next(p for p in (single, double, word) if p is not None)))
    if not parts:
        raise FormatError("The log_format directive holds no format.")
    return "".join(parts), escape


def _escape(word: str) -> Escape:
    known: dict[str, Escape] = {"default": "default", "json": "json", "none": "none"}
    if word not in known:
        raise FormatError(f"escape={word} is not one of {', '.join(known)}.")
    return known[word]


def _unquote(text: str) -> str:
    known = {"t": "\t", "r": "\r", "n": "\n"}
    return re.sub(r"\\([\"'\\trn])", lambda found: known.get(found[1], found[1]), text)


def _choose(names: list[str]) -> dict[int, str]:
    """Which occurrence of which variable supplies each fact."""
    facts: dict[int, str] = {}
    for fact, sources in _FACTS.items():
        found = next((source for source in sources if source in names), None)
        if found is not None:
            facts[names.index(found)] = fact
    return facts


def _shape(name: str, literal: str, escape: Escape) -> str:
    """The expression for one value, as narrow as its variable and its surroundings allow."""
    if name in _SHAPES:
        return _SHAPES[name]
    if literal[:1] == '"' and escape == "default":
        return '[^"]*+'  # NGINX writes a quote inside a value as \x22.
    if literal[:1] == '"' and escape == "json":
        return r'(?:[^"\\]|\\.)*+'
    if name in _WORDS and literal[:1] in (" ", ""):
        return r"[^ ]*+"
    return ".*?"
