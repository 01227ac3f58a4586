"""Every change of the catalogue creates one event; a request without a change creates none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import asyncpg
import pytest
from aiohttp.test_utils import TestClient, TestServer

from lib.auth import Role
from lib.cache import Cache
from services.catalog.app import create_app
from services.catalog.invalidation import handlers
from services.catalog.service.events import TOPIC
from tests.services.calling import Caller
from tests.services.catalog.conftest import config_for

TYPE = "01890000-0000-7000-8000-00000000c101"
SUBCATEGORY = "01890000-0000-7000-8000-00000000c301"
SERVICE = "01890000-0000-7000-8000-00000000c402"
PROVIDER = "01890000-0000-7000-8000-00000000f001"
OFFERED = f"providers/{PROVIDER}/services"
ADMIN = "01890000-0000-7000-8000-00000000ad01"
LEVELS = [
    ("category-types", "category_type", {"name": "Events"}),
    ("categories", "category", {"type_id": TYPE, "name": "Painting"}),
    ("subcategories", "subcategory", {
        "category_id": "01890000-0000-7000-8000-00000000c201", "name": "Fridges",
    }),
    ("services", "service", {"subcategory_id": SUBCATEGORY, "name": "Look at it"}),
]  # fmt: skip


@pytest.fixture
async def admin(database_url: str, issuer) -> AsyncIterator[Caller]:
    """An administrator of a service without Redis, whose events stay in the outbox."""
    app = create_app(config_for(database_url, issuer, None))
    async with TestClient(TestServer(app)) as client:
        yield Caller(client, issuer.authorized(subject=ADMIN, role=Role.ADMIN))


@pytest.fixture
async def outbox(database_url: str):
    """Return the events since the last call: (kind, key, payload) each."""
    connection = await asyncpg.connect(database_url)

    async def look() -> list[tuple[str, str, dict]]:
        rows = await connection.fetch(
            "WITH gone AS (DELETE FROM outbox RETURNING *) SELECT * FROM gone ORDER BY position"
        )
        assert {row["topic"] for row in rows} <= {"catalog"}
        told = [(row["kind"], row["event_key"], json.loads(row["payload"])) for row in rows]
        assert {payload.pop("actor") for _, _, payload in told} <= {ADMIN}
        return told

    yield look
    await connection.close()


@pytest.mark.parametrize(("path", "tag", "new"), LEVELS)
async def test_each_change_of_an_entry_is_told_once(admin, outbox, path, tag, new) -> None:
    _, body, headers = await admin("POST", path, json=new)
    one, entry = headers["Location"], body["data"]
    assert await outbox() == [(f"{tag}.created", entry["id"], entry)]
    _, body, _ = await admin("PATCH", one, json={"name": "Other"})
    assert await outbox() == [(f"{tag}.changed", entry["id"], body["data"])]
    assert (await admin("DELETE", one))[0] == 204
    removed = {"id": entry["id"], "version": 3}
    assert await outbox() == [(f"{tag}.removed", entry["id"], removed)]


async def test_taking_up_and_giving_up_is_told_once(admin, outbox) -> None:
    payload = {"provider_id": PROVIDER, "service_id": SERVICE}
    await asyncio.gather(*(admin("POST", OFFERED, json={"service_id": SERVICE}) for _ in range(5)))
    assert await outbox() == [("provider_service.added", PROVIDER, payload)]
    for _ in range(2):
        await admin("DELETE", f"{OFFERED}/{SERVICE}")
    assert await outbox() == [("provider_service.removed", PROVIDER, payload)]


async def test_what_is_refused_or_changes_nothing_is_not_told(admin, outbox, subtests) -> None:
    for method, path, body in [
        ("POST", "category-types", {"name": "home"}),
        ("POST", "services", {"subcategory_id": TYPE, "name": "Nowhere"}),
        ("PATCH", f"category-types/{TYPE}", {"name": "Garden"}),
        ("PATCH", f"category-types/{TYPE}", {"name": " Home "}),
        ("PATCH", f"services/{SERVICE}", {}),
        ("DELETE", f"category-types/{TYPE}", None),
        ("DELETE", f"services/{TYPE}", None),
        ("POST", OFFERED, {"service_id": TYPE}),
    ]:
        with subtests.test(method=method):
            await admin(method, path, json=body)
            assert await outbox() == []


def test_every_kind_of_event_has_a_handler() -> None:
    entries = {
        f"{tag}.{what}" for _, tag, _ in LEVELS for what in ("created", "changed", "removed")
    }
    expected = entries | {"provider_service.added", "provider_service.removed"}
    assert set(handlers(Cache(None, prefix="none"))[TOPIC]) == expected
