"""The real output of the running programs passes the log pipeline: parsed and masked."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path
from typing import Any

import aiohttp

from devstack.settings import service_names
from devstack.testing.wait import eventually
from tests.observability.ingest import MAPPED
from tests.observability.shipping import in_docker, shipped

LINE = re.compile(r"(\S+) +\| (.*)")
# As many lines are looked at, at the least.
LINES = 1000
LEVELS = {"debug", "info", "warning", "error", "critical"}


class Written:
    """The output of a stack: its start, and everything from now on."""

    def __init__(self, stack: Any) -> None:
        self._stack = stack
        ready = next(n for n, line in enumerate(stack.lines) if "ready; press Ctrl-C" in line)
        self._start = stack.lines[:ready]
        self._begin = len(stack.lines)
        self._log = Path(stack.environ["RUN_DIR"]) / "nginx" / "access.log"
        self._log_begin = self._log.stat().st_size

    def lines(self) -> list[tuple[str, str]]:
        """Return the lines of the named programs and of the gateway's access log."""
        said = [*self._start, *self._stack.lines[self._begin :]]
        found = [(line[1], line[2]) for each in said if (line := LINE.fullmatch(each))]
        with self._log.open() as log:
            log.seek(self._log_begin)
            return [*found, *(("access", line) for line in log.read().splitlines())]

    def files(self) -> dict[str, list[str]]:
        """Return the lines by the program that wrote them."""
        found: dict[str, list[str]] = {}
        for part, line in self.lines():
            found.setdefault(part, []).append(line)
        return found


async def test_every_line_is_understood_and_tells_nobody_s_data(stack):
    written = Written(stack)
    mark = secrets.token_hex(6)
    address, phone, token = f"jörg+{mark}@exämple.org", f"+4917{int(mark, 16) % 10**9}", f"t{mark}"
    body = {"email": address, "password": mark, "first_name": "A", "phone_number": phone}
    request_ids, served = [], []  # of all requests; of those that a service surely logs
    async with aiohttp.ClientSession(stack.url) as session:
        for service in service_names():
            path = f"/api/{service}s/v1/{service}s".replace("categorys", "categories")
            for ending in (f"?email={address}&access_token={token}", f"/{address}"):
                async with session.get(path + ending) as answer:
                    request_ids.append(answer.headers["X-Request-ID"])
        for end in ("register/customer", "login"):
            async with session.post(f"/api/users/v1/auth/{end}", json=body) as answer:
                request_ids.append(answer.headers["X-Request-ID"])
        async with session.get("/api/users/v1/users", headers=stack.authorized()) as answer:
            request_ids.append(answer.headers["X-Request-ID"])  # by gRPC to point, too
        for _ in range(LINES // 2):
            async with session.get("/api/catalogs/v1/services?page_size=1") as answer:
                served.append(answer.headers["X-Request-ID"])
        request_ids += served
        # NGINX tells of this itself, with the whole request in its line.
        huge = {"Content-Length": str(10**9)}
        async with session.post(
            f"/api/users/v1/auth/login?token={token}", headers=huge, data=b""
        ) as answer:
            assert answer.status == 413

    def arrived() -> bool:
        parts = written.files()
        gateway = "\n".join(parts.pop("access", []))
        others = "\n".join(line for lines in parts.values() for line in lines)
        return (
            all(one in gateway for one in request_ids)
            and all(one in others for one in served)
            and "too large body" in others
        )

    await eventually(arrived)
    seen: dict[str, int] = {}
    for part, lines in written.files().items():
        access = part == "access"
        source, written_lines = (
            ("gateway", lines) if access else ("containers", in_docker(part, lines))
        )
        for found in shipped(source, written_lines):
            line = found["message"]
            text = json.dumps(found, ensure_ascii=False)
            assert [each for each in (mark, address, phone, token) if each in text] == [], line
            seen[found["kind"]] = seen.get(found["kind"], 0) + 1
            _assert_understood(part, line, found)
    assert sum(seen.values()) >= LINES
    assert seen["service"] > len(request_ids) / 2
    assert seen["gateway"] >= len(request_ids)
    assert seen["text"] >= 1


def _assert_understood(part: str, line: str, found: dict[str, Any]) -> None:
    assert found["source"] == ("gateway" if part == "access" else "container")
    if line.startswith("{"):
        assert found["kind"] == ("gateway" if part == "access" else "service"), line
        assert "@timestamp" in found
        # A word where a number is expected would be dropped.
        assert isinstance(found.get("status", 0), int), line
        assert isinstance(found.get("duration_ms", 0.0), int | float), line
    if found["kind"] == "service":
        assert (found.get("service"), found.get("level") in LEVELS) == (part, True), line
    if found["kind"] == "text":
        assert found["service"] == part, line
    for name, value in found.items():
        if MAPPED["properties"].get(name, {}).get("type") == "keyword":
            assert isinstance(value, str), (name, line)
