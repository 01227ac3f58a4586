"""The table of all routes and their access requirements, from the declarations in the code."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from devstack.settings import ROOT, Settings, service_names
from lib.auth.access import Access, Need, When, declared
from lib.auth.guards import requirement
from lib.http.openapi import UI_PATH
from lib.http.route import PROBES
from tools import specs

PAGE: Final = ROOT / "docs" / "access.md"
_HEAD: Final = """\
# Routes and their guards

This page lists the requirements of each route. `make render` generates the page from declarations
in the code (`access=` in [`lib/http/routes.py`](../lib/http/routes.py),
[`lib/auth/access.py`](../lib/auth/access.py)). A service does not start if one of its routes
declares no requirements.

- **second factor**: a token with the claim `second_factor_wanted` is refused. A token has this
  claim after a sign-in with only the password, if the account has a second factor or its role
  requires one.
- **fresh sign-in**: the user must have signed in within the last 15 minutes.
- **verified address**: the token must state that the email address is verified. A user who has
  just verified the address must refresh the token before the call.
- **services**: other services may call the route with their own token. The requirements of the
  columns "second factor", "fresh sign-in" and "verified address" do not apply to services.

If a cell has a condition instead of "yes", the requirement applies only under that condition. A
route may also refuse callers who meet the requirements in the table, such as callers who do not own
the resource.
"""
# It is only described: no method is called.
_NO_DATABASE: Final[Any] = None
_COLUMNS: Final = (
    "| route | permitted callers | second factor | fresh sign-in | verified address | services |"
)


class Route(NamedTuple):
    """A route, over HTTP or gRPC, and its declared requirements."""

    service: str
    name: str
    access: Access


def files() -> dict[Path, str]:
    """Return a mapping from the path of the page to its text."""
    lines = [_HEAD.rstrip()]
    service = ""
    for route in sorted(routes(), key=_by_path):
        if route.service != service:
            service = route.service
            lines += ["", f"## {service}", "", _COLUMNS, "|---|---|---|---|---|---|"]
        lines.append(_row(route))
    return {PAGE: "\n".join(lines) + "\n"}


def routes() -> Iterator[Route]:
    """Yield every route of every service.

    Raises:
        TypeError: if a route declares no access.
    """
    for name in service_names():
        for route in specs.application(name).router.routes():
            path = "" if route.resource is None else route.resource.canonical
            if path not in PROBES and not path.startswith(UI_PATH) and route.method != "HEAD":
                where = f"{route.method} {path}"
                yield Route(name, where, _known(where, declared(route.handler)))
    for one in Settings.read({}).services:
        if one.grpc_port:
            app = importlib.import_module(f"services.{one.name}.app")
            for service in app.rpc_services(_NO_DATABASE):
                for method in service.methods:
                    where = f"gRPC {service.name}/{method.name}"
                    yield Route(one.name, where, _known(where, method.access))


def _by_path(route: Route) -> tuple[str, str, str]:
    method, _, path = route.name.partition(" ")
    return route.service, path, method


def _known(where: str, access: Access | None) -> Access:
    if access is None:
        raise TypeError(f"{where} declares no access")
    return access


def _row(route: Route) -> str:
    access = route.access
    if access.open:
        return f"| `{route.name}` | every caller | – | – | – | yes |"
    who = ", ".join(requirement(guard) for guard in access.guards) or "any signed-in caller"
    needs = (access.second_factor, access.fresh, access.verified, access.services)
    return f"| `{route.name}` | {who} | {' | '.join(_word(need) for need in needs)} |"


def _word(need: Need | None) -> str:
    if isinstance(need, When):
        return f"if {need.case}"
    return "yes" if need else "–"
