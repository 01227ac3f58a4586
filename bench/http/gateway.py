"""One department through the gateway, against the same process asked without it.

Run: python -m bench.http.gateway, or a part of `make bench`. Both are asked in turns; the processor
time through the gateway is NGINX's and the service's together.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from bench.http.departments import (
    ALONE,
    GATEWAY,
    OURS,
    PATH,
    fill,
    in_turns,
    options,
    report,
    serving_as,
)
from bench.serving import ROOT, Served, wait_until_it_answers
from devstack import gateway
from devstack.embedded import children
from devstack.embedded.home import Home
from devstack.embedded.ports import free_port
from devstack.settings import Service, Settings
from devstack.testing import postgres

PUBLIC: Final = "/api/departments/v1/departments"


@contextmanager
def before(service: Served, run: Path) -> Iterator[Served]:
    """Run the stack's NGINX before a service; its limits do their work, out of reach."""
    served = Service(
        name="department", port=service.port, grpc_port=None, public=True, database=True
    )
    settings = Settings(home=Home(run), gateway_port=free_port(), services=(served,), environ={})
    account, config = gateway.prepare(settings)
    text = config.read_text()
    raised = text.replace("rate=500r/s", "rate=1000000r/s")
    assert raised != text
    config.write_text(raised)
    nginx = children.spawn(gateway.command(config), log=subprocess.DEVNULL, account=account)
    try:
        wait_until_it_answers(settings.gateway_port, nginx, config, f"{PUBLIC}?page_size=1")
        yield Served(settings.gateway_port, nginx.pid, behind=(service.pid,))
    finally:
        children.stop(nginx, within=5)


def run(given: argparse.Namespace) -> None:
    """Measure in turns and print medians and ratios."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres.running(ROOT / "migrations"))
        url = server.create("department")
        some_id = fill(url)
        service = stack.enter_context(serving_as(OURS, url, folder / "service.log"))
        through = stack.enter_context(before(service, folder / "run"))
        servers = {GATEWAY: through, ALONE: service}
        paths = {GATEWAY: f"{PUBLIC}/{some_id}", ALONE: f"{PATH}/{some_id}"}
        report("one department by id, through the gateway", in_turns(servers, paths, given))


if __name__ == "__main__":
    run(options())
