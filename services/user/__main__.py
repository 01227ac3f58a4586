"""Run the user service: `python -m services.user`."""

from __future__ import annotations

import sys

from lib.http.server import serve_app
from lib.process import run
from services.user.app import create_app
from services.user.config import UserConfig

if __name__ == "__main__":
    sys.exit(run("user", UserConfig, lambda c: [serve_app(create_app(c), c, port=c.port)]))
