"""Runs the exporter: `python -m observability.nginx_exporter --log access.log`."""

import sys

from observability.nginx_exporter.cli import main

sys.exit(main())
