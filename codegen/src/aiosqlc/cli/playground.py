"""`aiosqlc playground`: a page on this machine that compiles while you type."""

from __future__ import annotations

import argparse
import contextlib
import errno
import sys
from typing import Final

_MOST: Final = 65535
_TAKEN: Final = {errno.EADDRINUSE, errno.EACCES}


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `playground`."""
    command.add_argument("--port", type=_port, default=8765, help="0 takes a free one")


def _port(text: str) -> int:
    """Read the number of a port."""
    if not text.isdecimal() or int(text) > _MOST:
        raise argparse.ArgumentTypeError(f"`{text}` is no port: 0 to {_MOST}")
    return int(text)


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
    except NoServerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        sys.stderr.write(f"cannot listen on port {arguments.port}: {error.strerror}; see --port\n")
        return 1
    return 0
