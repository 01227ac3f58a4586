"""`aiosqlc playground`: a page on this machine that compiles while you type."""

from __future__ import annotations

import argparse
import contextlib
import sys


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `playground`."""
    command.add_argument("--port", type=int, default=8765, help="0 takes a free one")


def run(arguments: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    from aiosqlc.playground.sandbox import Sandbox
    from aiosqlc.playground.server import PlaygroundServer
    from aiosqlc.servers.private import NoServerError

    try:
        with Sandbox() as sandbox, PlaygroundServer(arguments.port, sandbox) as server:
            sys.stdout.write(f"http://127.0.0.1:{server.server_port}/\n")
            sys.stdout.flush()
            with contextlib.suppress(KeyboardInterrupt):
                server.serve_forever()
    except (NoServerError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0
