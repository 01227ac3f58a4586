"""Execute the commands of docs/curl in bash, with values from earlier responses as variables."""

from __future__ import annotations

import json
import os
import re
import subprocess
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from devstack.settings import ROOT

_COMMAND = re.compile(
    r"\(`(\w+)`\)\. The response has the status (\d+)\.[^\n]*\n\n```sh\n(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
# The page's own `curl`, whose status, headers and body are kept beside what it prints.
# A command that names a jar keeps cookies in it, as a browser does.
_KEPT = (
    'curl() { command curl -D "$KEPT/head" -o "$KEPT/body" -w "%{http_code}"'
    ' ${JAR:+-b "$JAR" -c "$JAR"} "$@"; }\n'
)
SECONDS = 60


def commands(service: str) -> dict[str, tuple[str, str]]:
    """Return the status and the command of each operation on a service's page."""
    page = (ROOT / "docs" / "curl" / f"{service}.md").read_text()
    found = {name: (status, text) for name, status, text in _COMMAND.findall(page)}
    assert len(found) == page.count("```sh\n")
    return found


def later(**span: float) -> str:
    return (datetime.now(UTC) + timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Shell:
    """Run the commands of one page in one shell, which keeps its variables."""

    service: str
    gateway: str
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    executed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._commands = commands(self.service)

    def __call__(self, operation: str, token: str = "", *save: str, **variables: str) -> Any:
        """Execute the command of an operation; store the `id` of its response under these names."""
        status, command = self._commands[operation]
        self.variables |= variables | ({"TOKEN": token} if token else {})
        body, head = self.folder / "body", self.folder / "head"
        for kept in (body, head):
            kept.write_bytes(b"")
        done = subprocess.run(
            ["bash", "-uc", _KEPT + command], capture_output=True, text=True, timeout=SECONDS,
            env={"PATH": os.environ["PATH"], "GATEWAY": self.gateway, "KEPT": str(self.folder)}
            | self.variables, check=False,
        )  # fmt: skip
        raw = body.read_bytes()
        assert (done.stdout, done.returncode) == (status, 0), (operation, done.stderr, raw)
        self.executed.add(operation)
        if tag := re.search(r"^etag: (\S+)", head.read_text(), re.MULTILINE | re.IGNORECASE):
            self.variables["ETAG"] = tag[1]
        if not raw.startswith(b"{"):
            return None
        data = json.loads(raw).get("data")
        for name in save:
            self.variables[name] = data["id"]
        return data

    def ask(self, method: str, path: str, body: Any, token: str, match: str = "*") -> Any:
        """Send a request that no command of a page sends."""
        request = urllib.request.Request(
            f"{self.gateway}/api/{path}", method=method, data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "If-Match": match}
            | {"Authorization": f"Bearer {token}"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            raw = answer.read()
            return json.loads(raw)["data"] if raw else None

    def all_executed(self) -> None:
        """Assert that every command of the page was executed."""
        assert self._commands.keys() - self.executed == set()
