"""Runs the product service: `python -m services.product`."""

from __future__ import annotations

import sys

from lib import process
from lib.http.server import serve_app
from services.product.app import create_app
from services.product.config import ProductConfig


def _parts(config: ProductConfig) -> list[process.Part]:
    return [serve_app(create_app(config), config, port=config.port)]


if __name__ == "__main__":
    sys.exit(process.run("product", ProductConfig, _parts))
