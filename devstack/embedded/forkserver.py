"""The fork server: import libraries, then fork Python programs for `devstack.embedded.forks`.

The server receives requests through the socket at its standard input; its arguments name the
modules to import. The server has one thread. It imports no module that opens a resource which two
processes cannot share.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import socket
import sys
import time
from pathlib import Path
from signal import Signals
from typing import NamedTuple

from setproctitle import getproctitle, setproctitle, setthreadtitle

from devstack.embedded.children import dies_with_parent
from devstack.embedded.forks import READY

LONGEST_ORDER = 1 << 20  # bytes; the socket refuses what is longer


class Order(NamedTuple):
    """A program to run: its command line and its complete environment."""

    command: list[str]  # the interpreter, `-m`, the module, its arguments
    env: dict[str, str]
    death_signal: int


def serve(control: socket.socket, modules: list[str]) -> Order | None:
    """Import the modules, then fork a program per request until the client closes the socket.

    Return None in the server, and the request in each forked process.
    """
    master, before = os.getppid(), dict(os.environ)
    getproctitle()  # finds its place beside the environment, before anything changes that
    setthreadtitle(Path(sys.executable).name)
    # What the collector visits is copied: it does not run here, and the children's passes this by.
    gc.disable()
    for module in modules:
        importlib.import_module(module)
    gc.freeze()
    imports_set = {name: text for name, text in os.environ.items() if before.get(name) != text}
    control.send(READY)
    while True:
        message, files, _, _ = socket.recv_fds(control, LONGEST_ORDER, 2)
        if not message:
            return None
        between = os.fork()
        if between == 0:
            between = os.getpid()
            if os.fork():
                os._exit(0)  # its child is the master's now, who has asked the kernel for orphans
            order = Order(*json.loads(message))
            os.setsid()
            while os.getppid() == between:
                time.sleep(0.001)
            dies_with_parent(Signals(order.death_signal), master)()
            _become(order, files[0], files[1], imports_set)
            control.send(str(os.getpid()).encode())
            control.close()
            return order
        for file in files:
            os.close(file)
        os.waitpid(between, 0)


def _become(order: Order, given: int, output: int, imports_set: dict[str, str]) -> None:
    """Give the forked process the streams, environment, title and arguments of a new program."""
    for source, target in ((given, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(given)
    os.close(output)
    os.environ.clear()
    os.environ.update(order.env | imports_set)
    setproctitle(" ".join(order.command))
    setthreadtitle(Path(order.command[0]).name)  # the title has made it the begin of a path
    sys.argv = order.command[2:]
    gc.enable()


def main() -> None:
    """Serve requests; in a forked process, run the program."""
    # Not descriptor 0 itself: that becomes the programs' standard input.
    with socket.socket(fileno=os.dup(0)) as control:
        order = serve(control, sys.argv[1:])
    if order is not None:
        runpy.run_module(order.command[2], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
