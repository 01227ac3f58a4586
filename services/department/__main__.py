"""Run the department service: `python -m services.department`."""

from __future__ import annotations

import sys

from lib.http.server import serve_app
from lib.process import run
from services.department.app import create_app
from services.department.config import DepartmentConfig

if __name__ == "__main__":
    sys.exit(
        run("department", DepartmentConfig, lambda c: [serve_app(create_app(c), c, port=c.port)])
    )
