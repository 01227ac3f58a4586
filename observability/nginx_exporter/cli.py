"""The command line: read and check the options, then run."""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import logging
import math
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, ProcessCollector

from observability.nginx_exporter import siblings, stub_status
from observability.nginx_exporter.exporter import Exporter
from observability.nginx_exporter.hits import Parser
from observability.nginx_exporter.json_lines import KEYS, JsonLines
from observability.nginx_exporter.log_format import FormatError
from observability.nginx_exporter.page import Page
from observability.nginx_exporter.places import MAX_SAMPLES, series_within
from observability.nginx_exporter.routes import RouteError, Router
from observability.nginx_exporter.server import open_server
from observability.nginx_exporter.snapshot import Snapshot, StateError, StateFile
from observability.nginx_exporter.specs import SpecError, checked, rule_routes, spec_routes
from observability.nginx_exporter.tally import rebucketed
from observability.nginx_exporter.text_lines import CLASSIC, TextLines
from observability.nginx_exporter.totals import BUCKETS, Totals

_COMMIT_SECONDS: Final = 5.0
_log = logging.getLogger("nginx_exporter")


class UsageError(Exception):
    """The options are invalid; the message is one sentence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. Exit codes: 0 stopped, 1 cannot run, 2 wrong usage."""
    try:
        options = _parser().parse_args(arguments)
        _logging()
        parser, router = _format(options), _router(options)
        _check(options)
    except (UsageError, FormatError, RouteError, SpecError) as error:
        return _fail(2, error)
    try:
        return _run(options, parser, router)
    except StateError as error:
        return _fail(1, error)


def _run(options: argparse.Namespace, parser: Parser, router: Router) -> int:
    file = StateFile(options.state or options.log[0].with_name(f"{options.log[0].name}.state.json"))
    past = _matching(file.load(), options.buckets)
    series = past.series if past else ()
    fitting = series_within(options.max_samples, len(options.buckets))
    most = min(options.max_series or fitting, fitting)
    totals = Totals(router, buckets=options.buckets, max_series=most, series=series)
    exporter = Exporter(options.log, parser, totals, file, past, options.start)
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    ask = options.status_url and functools.partial(
        stub_status.fetch, options.status_url, options.status_timeout
    )
    page = Page(exporter, registry, ask or None)
    try:
        server = open_server(page.text, options.host, options.port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return _fail(1, f"Cannot listen on {options.host}:{options.port}: {reason}.")
    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    exporter.look()  # Before saying that we are here: what is rotated away later is not history.
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    _log.info("Metrics are at http://%s:%d/metrics.", options.host, server.server_port)
    exporter.run(stop, interval=options.interval, commit_every=_COMMIT_SECONDS)
    server.shutdown()
    server.server_close()
    file.close()
    return 0


def _matching(past: Snapshot | None, buckets: tuple[float, ...]) -> Snapshot | None:
    """Convert the snapshot to the given histogram buckets, or return None if that is impossible."""
    if past is None or past.buckets == buckets:
        return past
    if set(buckets) <= set(past.buckets):
        series = [rebucketed(series, past.buckets, buckets) for series in past.series]
        return Snapshot(buckets, series, past.logs)
    _log.warning("The buckets have changed: requests are counted from zero.")
    return Snapshot(buckets, [], past.logs)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m observability.nginx_exporter", description=sys.modules[__package__].__doc__
    )
    add = parser.add_argument
    add(
        "--log",
        type=Path,
        action="append",
        required=True,
        help="access log; repeat for several logs",
    )
    add("--format", default="json", help="json, classic, or a log_format string or directive")
    add("--json-keys", default="", metavar="FACT=KEY,…", help=f"facts: {', '.join(KEYS)}")
    add(
        "--state",
        type=Path,
        help="file that stores the counts and log positions (default: beside the first log)",
    )
    add(
        "--start",
        choices=("beginning", "end"),
        default="beginning",
        help="where to start reading a log that the state file does not contain",
    )
    add("--host", default=os.environ.get("HOST", "127.0.0.1"), help="address to listen on")
    add("--port", type=int, default=9150, help="port to listen on; 0 selects a free port")
    add("--spec", action="append", default=[], metavar="GLOB[,FROM=TO]", help="OpenAPI documents")
    add("--route", action="append", default=[], metavar="PATTERN", help="/users/{id} or /docs/*")
    add(
        "--routes",
        type=Path,
        action="append",
        default=[],
        help="file with one route pattern per line",
    )
    add(
        "--buckets",
        type=_buckets,
        default=BUCKETS,
        help="upper bounds of the histogram buckets, in seconds, separated by commas",
    )
    add(
        "--max-series",
        type=_positive_int,
        help="maximum number of label sets (default: derived from --max-samples)",
    )
    add(
        "--max-samples",
        type=_positive_int,
        default=MAX_SAMPLES,
        help="maximum number of samples on the metrics page",
    )
    add("--status-url", help="NGINX's stub_status page")
    add("--status-timeout", type=_positive, default=1.0, metavar="SECONDS", help="default 1")
    add(
        "--interval",
        type=_positive,
        default=0.25,
        metavar="SECONDS",
        help="time between two reads of the logs",
    )
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:]}; --help lists the options.")


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def _positive_int(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _buckets(text: str) -> tuple[float, ...]:
    bounds = tuple(map(_positive, text.split(",")))
    if any(low >= high for low, high in itertools.pairwise(bounds)):
        raise argparse.ArgumentTypeError("must rise")
    return bounds


def _format(options: argparse.Namespace) -> Parser:
    if options.json_keys and options.format != "json":
        raise UsageError("--json-keys is only for --format json.")
    if options.format == "json":
        return JsonLines(_keys(options.json_keys))
    if options.format == "classic":
        # This format knows no other time, and its dashboards look for it under this name.
        return TextLines(CLASSIC, upstream_is_duration=True)
    return TextLines(options.format)


def _keys(text: str) -> dict[str, str]:
    pairs = [pair.partition("=")[::2] for pair in text.split(",") if pair]
    wrong = [fact for fact, key in pairs if fact not in KEYS or not key]
    if wrong:
        raise UsageError(
            f"--json-keys: {wrong[0]} must have the form FACT=KEY; "
            f"FACT is one of {', '.join(KEYS)}."
        )
    return dict(pairs)


def _router(options: argparse.Namespace) -> Router:
    named = [checked(pattern) for pattern in options.route]
    listed = [pattern for path in options.routes for pattern in rule_routes(path)]
    return Router(named + listed + [route for spec in options.spec for route in spec_routes(spec)])


def _check(options: argparse.Namespace) -> None:
    options.log = list(dict.fromkeys(path.absolute() for path in options.log))
    for path in options.log:
        if not str(path).isprintable():
            raise UsageError(f"The name of --log {str(path)!a} contains unprintable characters.")
        if not path.parent.is_dir():
            raise UsageError(f"The folder of --log {path} does not exist.")
        if path.exists() and not path.is_file():
            raise UsageError(f"--log {path} is not a regular file.")
    for one, other in itertools.permutations(options.log, 2):
        if os.path.realpath(one) == os.path.realpath(other):
            raise UsageError(f"--log {one} and --log {other} are the same file.")
        if siblings.is_rotated(one, other):
            raise UsageError(f"--log {one} is a rotated file of --log {other}: remove --log {one}.")
    for path in options.log:
        if options.state and siblings.is_rotated(options.state.absolute(), path):
            raise UsageError(
                f"--state {options.state} has the name of a rotated file of --log {path}."
            )
    if options.status_url:
        _check_url(options.status_url)
    if not series_within(options.max_samples, len(options.buckets)):
        raise UsageError(f"--max-samples {options.max_samples} is less than one series needs.")
    if not 0 <= options.port <= 65535:
        raise UsageError(f"--port {options.port} is not between 0 and 65535.")


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        valid = False
    if not valid:
        raise UsageError(f"--status-url {url} is not an http or https URL.")


def _fail(code: int, reason: object) -> int:
    sys.stderr.write(f"{reason}\n")
    return code


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        return json.dumps(line)


def _logging() -> None:
    handler = logging.StreamHandler()
    if os.environ.get("LOG_FORMAT") == "json":
        handler.setFormatter(_Json())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
