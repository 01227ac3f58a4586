"""`python -m devstack.migrate`: like `lib.db.migrations`, by default on the embedded server."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack

from devstack.databases import owned
from devstack.embedded.home import Home
from lib.db import migrations


def main(argv: list[str], environ: Mapping[str, str]) -> int:
    """Migrate the database of `<DB>_DATABASE_URL`, or else the database of the embedded server."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("command", nargs="?")
    parser.add_argument("--db", default="")
    known = parser.parse_known_args(argv)[0]
    name = f"{known.db.upper()}_DATABASE_URL"
    with ExitStack() as stack:
        is_ours = known.db in migrations.databases() and not environ.get(name)
        if is_ours and known.command in ("up", "down"):
            home = Home.from_environment(environ)
            try:
                stack.enter_context(home.postgres_running())
                environ = {**environ, name: owned(home, known.db)}
            except (RuntimeError, ValueError) as error:
                print(f"{known.db}: {error}", file=sys.stderr)
                return 1
        return migrations.main(argv, environ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
