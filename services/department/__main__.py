"""Runs the department service: `python -m services.department`."""

from __future__ import annotations

import sys

from lib import process
from lib.http.server import serve_app
from services.department.app import create_app
from services.department.config import DepartmentConfig


def _parts(config: DepartmentConfig) -> list[process.Part]:
    return [serve_app(create_app(config), config, port=config.port)]


if __name__ == "__main__":
    sys.exit(process.run("department", DepartmentConfig, _parts))
