"""Run the catalog service: `python -m services.catalog`."""

from __future__ import annotations

import sys

from lib.http.server import serve_app
from lib.process import run
from services.catalog.app import create_app
from services.catalog.config import CatalogConfig

if __name__ == "__main__":
    sys.exit(run("catalog", CatalogConfig, lambda c: [serve_app(create_app(c), c, port=c.port)]))
