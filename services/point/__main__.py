"""Run the point service: `python -m services.point`."""

from __future__ import annotations

import sys

from lib.http.server import serve_app
from lib.process import run
from services.point.app import create_app
from services.point.config import PointConfig

if __name__ == "__main__":
    sys.exit(run("point", PointConfig, lambda c: [serve_app(create_app(c), c, port=c.port)]))
