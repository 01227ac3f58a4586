"""Lines the log exporter counts in a second of one core, beside mtail where it is installed.

Run: python -m bench.exporter [lines]. All is pinned to one core, and the programs take turns, so
that other work on the machine meets each alike. A line shows the quartiles of seven runs, in
lines a second of the CPU, user and system, and of the clock: where those differ, the core was not
ours alone. The best run by the clock is the one that came nearest to an idle core.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from observability.nginx_exporter.exporter import Exporter
from observability.nginx_exporter.hits import Parser
from observability.nginx_exporter.json_lines import JsonLines
from observability.nginx_exporter.routes import Router
from observability.nginx_exporter.snapshot import StateFile
from observability.nginx_exporter.text_lines import CLASSIC, TextLines
from observability.nginx_exporter.totals import Totals

RUNS = 7
Taken = tuple[float, float]  # seconds of the CPU and of the clock
RESOURCES = ["users", "departments", "products", "orders", "items", "carts", "rooms", "points"]
ROUTES = [f"/api/{r}/v1/{r}" for r in RESOURCES] + [f"/api/{r}/v1/{r}/{{id}}" for r in RESOURCES]
JSON = (
    '{{"time":"2025-11-21T02:00:00+00:00","remote_addr":"172.18.0.1","request_id":"{id}",'
    '"method":"{method}","path":"{path}","protocol":"HTTP/1.1","status":{status},'
    '"bytes_sent":{size},"request_bytes":312,"duration":{time},"upstream_addr":"127.0.0.1:8081",'
    '"upstream_status":"{status}","upstream_time":"{time}","user_agent":"{agent}"}}\n'
)
TEXT = (
    '172.18.0.1 - - [21/Nov/2025:02:00:00 +0000] "{method} {path} HTTP/1.1" {status} {size} '
    '"-" "{agent}" {time}\n'
)
CUSTOM = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $bytes_sent "$http_referer" '
    '"$http_user_agent" $request_time'
)
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0"


def lines(template: str, count: int) -> str:
    """A log in which half the paths hold an id never seen before."""
    dice = random.Random(1)
    made = []
    for _ in range(count):
        kind = dice.choice(RESOURCES)
        ident = uuid.UUID(int=dice.getrandbits(128))
        path = f"/api/{kind}/v1/{kind}" + (f"/{ident}" if dice.random() < 0.5 else "")
        made.append(
            template.format(
                id=ident.hex,
                method=dice.choice(["GET", "GET", "GET", "POST", "PATCH"]),
                path=path + ("?page=2" if dice.random() < 0.3 else ""),
                status=dice.choice([200, 200, 200, 201, 404, 500]),
                size=dice.randrange(20_000),
                time=f"{dice.expovariate(20):.3f}",
                agent=AGENT,
            )
        )
    return "".join(made)


def ours(log: Path, parser: Parser, count: int) -> Taken:
    """What it takes to follow, parse and count the whole log and write the state down."""
    with tempfile.TemporaryDirectory() as folder:
        file = StateFile(Path(folder) / "state")
        exporter = Exporter([log], parser, Totals(Router(ROUTES)), file, None)
        began = time.process_time(), time.perf_counter()
        exporter.step()
        with exporter.lock:
            exporter.commit()
        taken = time.process_time() - began[0], time.perf_counter() - began[1]
        counted = sum(series.requests for series in exporter.totals.series)
        file.close()
    assert counted == count, (counted, count)
    return taken


def mtail(log: Path) -> Taken:
    """What mtail takes for a log in one go, start-up included."""
    command = ["mtail", "--one_shot", "--progs", str(Path(__file__).parent / "nginx.mtail")]
    began = _children(), time.perf_counter()
    subprocess.run(
        [*command, "--logs", str(log), "--port", "0"],
        check=True,
        capture_output=True,
        env={**os.environ, "GOMAXPROCS": "1"},
    )
    return _children() - began[0], time.perf_counter() - began[1]


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def report(name: str, count: int, taken: list[Taken]) -> None:
    """One line: the quartiles of both kinds of seconds, and the best by the clock."""
    cpu, clock = (sorted(count / seconds for seconds in kind) for kind in zip(*taken, strict=True))
    shown = (
        f"{label} " + " / ".join(f"{lines:,.0f}" for lines in statistics.quantiles(kind))
        for label, kind in (("CPU", cpu), ("clock", clock))
    )
    print(f"{name:18}", *shown, f"best {clock[-1]:,.0f}", sep="   ")


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.exporter", description=__doc__)
    parser.add_argument("lines", nargs="?", type=int, default=300_000, help="of a log (300000)")
    count = parser.parse_args(argv).lines
    # One core for all: threads of ours would not help, and mtail's must not.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        json_log, text_log = Path(folder) / "json.log", Path(folder) / "text.log"
        json_log.write_text(lines(JSON, count))
        text_log.write_text(lines(TEXT, count))
        text = TextLines(CLASSIC, upstream_is_duration=True)
        custom = TextLines(CUSTOM)
        programs: dict[str, Callable[[], Taken]] = {
            "ours, JSON": lambda: ours(json_log, JsonLines(), count),
            "ours, classic": lambda: ours(text_log, text, count),
            "ours, log_format": lambda: ours(text_log, custom, count),
        }
        if shutil.which("mtail"):
            programs["mtail, classic"] = lambda: mtail(text_log)
        else:
            print("mtail is not installed (Debian: apt-get install mtail); skipped")
        runs = [{name: run() for name, run in programs.items()} for _ in range(RUNS)]
    print(f"{count:,} lines, lines a second: lower quartile / median / upper quartile")
    for name in programs:
        report(name, count, [run[name] for run in runs])


if __name__ == "__main__":
    main(sys.argv[1:])
