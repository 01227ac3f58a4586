"""Run the product service: `python -m services.product`."""

from __future__ import annotations

import sys

from lib.http.server import serve_app
from lib.process import run
from services.product.app import create_app
from services.product.config import ProductConfig

if __name__ == "__main__":
    sys.exit(run("product", ProductConfig, lambda c: [serve_app(create_app(c), c, port=c.port)]))
