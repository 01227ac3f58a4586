"""`python -m devstack`: run the whole platform on this machine until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import sys

from dotenv import dotenv_values

from devstack import imports

_FILES = 16_384  # NGINX's processes have 4096 connections each, to both sides


def _make_ready() -> None:
    """Open standard streams that are closed (`make run >&-`); raise the limit of open files."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115, PTH123 - open to the end
    sys.stderr = sys.stderr or sys.stdout
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _FILES:
        wanted = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main(argv: list[str]) -> int:
    """Run the stack; return the exit code: 0 stopped, 1 could not start, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m devstack", description=__doc__)
    parser.add_argument(
        "--watch", metavar="SERVICE", help="restart this service when its code changes"
    )
    watch = parser.parse_args(argv).watch
    _make_ready()
    named = dotenv_values(".env")
    environ = {name: value for name, value in named.items() if value} | os.environ
    with imports.shared(environ) as forks:
        # Here, because our own imports take half as long as those, and there may be two processors.
        from devstack.settings import ROOT, Settings, service_names
        from devstack.stack import run
        from devstack.supervisor import StartError
        from devstack.unknown import known_names, warnings

        if named:
            known = known_names(ROOT / "docs" / "settings.md", service_names())
            for sentence in warnings(named, known):
                print(sentence, file=sys.stderr)
        if watch and watch not in service_names():
            print(f"{watch} is not one of: {', '.join(service_names())}", file=sys.stderr)
            return 2
        try:
            asyncio.run(run(Settings.read(environ), forks, watch=watch))
        except (StartError, ValueError, RuntimeError, OSError) as error:
            print(f"cannot start: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
