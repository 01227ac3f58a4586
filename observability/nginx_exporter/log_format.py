"""Compile an NGINX `log_format` string to a parser."""

from __future__ import annotations

import re
from typing import Final, Literal

Escape = Literal["default", "json", "none"]

_TIME: Final = r"(?:[0-9.]+|-)"
_TIMES: Final = rf"{_TIME}(?:(?: ?, | : ){_TIME})*|"
# The patterns are loose: the code that reads a number treats an invalid time or size as missing.
_SHAPES: Final = {
    "status": "[0-9]{3}",
    "body_bytes_sent": "[0-9-]*",
    "bytes_sent": "[0-9-]*",
    "request_length": "[0-9-]*",
    "request_time": "[0-9.-]*",
    "upstream_response_time": _TIMES,
    "upstream_connect_time": _TIMES,
    "upstream_header_time": _TIMES,
    "time_local": ".{26}",
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
_FREE: Final = ".*?"
_QUOTED_VALUES: Final = {"default": '[^"]*+', "json": r'[^"\\]*+(?:\\.[^"\\]*+)*+'}
_TARGETS: Final = {
    _QUOTED_VALUES["default"]: '[^ "]*+',
    _QUOTED_VALUES["json"]: r'[^ "\\]*+(?:\\.[^ "\\]*+)*+',
}
_FACTS: Final = {
    "method": ("request_method",),
    "path": ("request_uri", "uri"),
    "status": ("status",),
    "size": ("body_bytes_sent", "bytes_sent"),
    "duration": ("request_time",),
    "upstream": ("upstream_response_time",),
}
_TOKEN: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_QUOTED: Final = re.compile(r"""\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s'";]+)|(;))""")


class FormatError(ValueError):
    """A log format whose lines cannot be parsed; the message is one sentence."""


def compile_format(template: str) -> re.Pattern[str]:
    """Return the regular expression that matches the next line of the format, including its end.

    The expression has a named group for each fact of the format, and a last group, which is always
    empty. It also matches a line of another format, with all groups empty: an empty `status`
    identifies such a line. A quoted value may match beyond the end of its line, because such an
    expression takes half the time. So a caller that reads many lines must check that each match
    covers one line. Raises FormatError if the format has no `$status` or is ambiguous.
    """
    template, escape = _directive(template)
    pieces = _TOKEN.split(template)
    names = [braced or plain for braced, plain in zip(pieces[1::3], pieces[2::3], strict=True)]
    literals = pieces[3::3]
    if "status" not in names:
        raise FormatError("The log format has no $status, so its requests cannot be counted.")
    if "\n" in template:
        raise FormatError("The log format writes several lines per request.")
    facts = _choose(names)
    asked = tuple(fact for fact in ("method", "path") if fact not in facts.values())
    free = 0
    expression = re.escape(pieces[0])
    for position, (name, literal) in enumerate(zip(names, literals, strict=True)):
        last = position == len(names) - 1
        if not literal and not last:
            after = names[position + 1]
            raise FormatError(f"The log format needs a character between ${name} and ${after}.")
        shape = _shape(name, literal, escape)
        free += shape == _FREE
        if position in facts:
            shape = f"(?P<{facts[position]}>{shape})"
        elif name == "request" and names.index(name) == position:
            shape = _request(shape, asked)
        expression += f"(?:{shape})" + re.escape(literal)
    if free > 2:
        # Each multiplies the time a hostile line can take; two is what common formats need.
        raise FormatError("The log format has too many values without quotes: quote some of them.")
    return re.compile(rf"(?:{expression}\r?|.+)\n()", re.ASCII)


def _directive(text: str) -> tuple[str, Escape]:
    """Return the format string and its escaping, from a bare string or a whole directive."""
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
        raise FormatError("The log_format directive contains no format.")
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
    """Return the name of each value to parse, such as `status`, by its variable's position."""
    facts: dict[int, str] = {}
    for fact, sources in _FACTS.items():
        found = next((source for source in sources if source in names), None)
        if found is not None:
            facts[names.index(found)] = fact
    return facts


def _shape(name: str, literal: str, escape: Escape) -> str:
    """Return the narrowest regular expression that matches every value of a variable."""
    if name == "time_local" and literal[:1] == "]":
        return r"[^\]]{0,64}+"  # Bounded, for a user's name may hold any number of beginnings.
    if _SHAPES.get(name) is _TIMES and literal[:1] in ('"', ""):
        return "[0-9.,: -]*+"
    if name in _SHAPES:
        return _SHAPES[name]
    if literal[:1] == '"' and escape != "none":
        # By default NGINX writes a quote inside a value as \x22.
        return _QUOTED_VALUES[escape]
    if name in _WORDS and literal[:1] == " ":
        return "[^ ]*+"
    if name in _WORDS and not literal:
        return r"[^\s]*+"
    return _FREE


def _request(shape: str, asked: tuple[str, ...]) -> str:
    """Return the expression for a request line: method and target, or any text of a client."""
    target = {_FREE: r"[^ \r\n]*", **_TARGETS}[shape]
    method, path = (f"?P<{fact}>" if fact in asked else "?:" for fact in ("method", "path"))
    return rf"({method}[\w-]+) ({path}{target}){shape}|{shape}"
