"""Run the order service: `python -m services.order`."""

from __future__ import annotations

import sys

from lib.http.server import serve_app
from lib.process import run
from services.order.app import create_app
from services.order.config import OrderConfig

if __name__ == "__main__":
    sys.exit(run("order", OrderConfig, lambda c: [serve_app(create_app(c), c, port=c.port)]))
