"""`python -m tools.scaffold new|remove|start NAME`: add or remove a service, name a project."""

from __future__ import annotations

import argparse
import os
import signal
import sys

from devstack.settings import ROOT, Settings, plural_of
from tools.scaffold.create import create
from tools.scaffold.project import start
from tools.scaffold.remove import remove
from tools.scaffold.wanted import (
    ENGINES,
    ScaffoldError,
    Wanted,
    check_name,
    choose_port,
    next_grpc_port,
)


def main(argv: list[str]) -> int:
    """Run the command. Return the exit code: 0 done, 1 refused, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m tools.scaffold", description=__doc__)
    parser.add_argument("command", choices=("new", "remove", "start"))
    parser.add_argument("name", help="name in the singular, such as inventory")
    parser.add_argument(
        "--engine",
        default="postgres",
        help="postgres, or mysql for a service that runs on both engines",
    )
    parser.add_argument("--grpc", default="", help="1: gRPC beside HTTP")
    parser.add_argument("--port", default="", help="port (default: the next free port)")
    parser.add_argument("--holder", default="", help="start: holder of the copyright")
    parser.add_argument(
        "--apply", default="", help="start: 1 writes the changes (default: only list them)"
    )
    args = parser.parse_args(argv)
    # Like Ctrl-C: what was written is taken back.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _check_ports()
        if args.command == "new":
            for line in create(ROOT, _wanted(args)):
                print(line)
            _introduce(args.name)
        elif args.command == "start":
            _start(args)
        else:
            for line in remove(ROOT, args.name):
                print(line)
            print(f"{args.name} is removed; make clean deletes its data under .run/")
    except ScaffoldError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted: no file was changed", file=sys.stderr)
        return 130
    return 0


def _check_ports() -> None:
    # The commands that generate files read the same settings, and would fail halfway.
    try:
        Settings.read(os.environ)
    except ValueError as error:
        raise ScaffoldError(str(error)) from error


def _wanted(args: argparse.Namespace) -> Wanted:
    if args.engine not in ENGINES:
        raise ScaffoldError(f"engine={args.engine} is not one of: {' '.join(ENGINES)}")
    if args.grpc not in ("", "0", "1"):
        raise ScaffoldError(f"grpc={args.grpc} is neither 0 nor 1")
    if args.port and not args.port.isdecimal():
        raise ScaffoldError(f"port={args.port} is not a number")
    check_name(ROOT, args.name)
    port = choose_port(ROOT, int(args.port) if args.port else None)
    return Wanted(args.name, args.engine, args.grpc == "1", port, next_grpc_port(ROOT))


def _start(args: argparse.Namespace) -> None:
    if args.apply not in ("", "0", "1"):
        raise ScaffoldError(f"apply={args.apply} is neither 0 nor 1")
    write = args.apply == "1"
    for line in start(ROOT, args.name, args.holder, write=write):
        print(line)
    if write:
        print(f"the project is now {args.name}; next: run make setup and read docs/services.md")
    else:
        print("nothing was changed; repeat the command with apply=1 to change the files")


def _introduce(name: str) -> None:
    names = plural_of(name)
    print(f"the service {name} is ready: make run, then")
    print(f"  curl http://127.0.0.1:8080/api/{names}/v1/{names}")
    print(f"tests: make test-{name}; code: services/{name}; undo: make remove-service")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
