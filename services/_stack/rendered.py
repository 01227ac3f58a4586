"""`python -m services._stack.rendered write|check`: files that follow from the list of services.

Grafana's dashboards and the deployment: made from templates, committed so that people read them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from observability.grafana import dashboards
from observability.grafana.panels import Dashboard, as_json
from services._stack.settings import PORTS, ROOT

DASHBOARDS = ROOT / "observability" / "grafana" / "dashboards"


def main(argv: list[str]) -> int:
    """Write or compare; return the exit code: 0 done, 1 something is out of date, 2 misused."""
    if argv not in (["write"], ["check"]):
        print(__doc__, file=sys.stderr)
        return 2
    wanted = files()
    stale = [path for path, text in wanted.items() if not _holds(path, text)]
    if argv == ["check"]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run make render", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path])
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


def files() -> dict[Path, str]:
    """Return every file by its path."""
    return {
        DASHBOARDS / f"{page.uid}.json": json.dumps(as_json(page), indent=2) + "\n"
        for page in all_dashboards()
    }


def all_dashboards() -> list[Dashboard]:
    """Return every dashboard; those of services that are still to come, too: they stay empty."""
    names = sorted(n.removesuffix("_PORT").lower() for n in PORTS if not n.endswith("_GRPC_PORT"))
    return [
        dashboards.overview(),
        *(_service_dashboard(name) for name in names),
        dashboards.sql(),
        dashboards.gateway(),
        dashboards.basic(),
        dashboards.containers(),
    ]


def _service_dashboard(name: str) -> Dashboard:
    grpc = f"{name.upper()}_GRPC_PORT" in PORTS
    plural = f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"
    return dashboards.service(name, f"/api/{plural}/v1", http=not grpc, grpc=grpc)


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
