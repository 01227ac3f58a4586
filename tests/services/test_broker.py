"""Two services with `EVENTS_URL=nats://…`: a published event has its effect exactly once."""

from __future__ import annotations

from pydantic import SecretStr

from devstack.testing.auth import TestIssuer
from devstack.testing.nats import TestNats
from devstack.testing.wait import eventually
from lib.auth import Role
from lib.events.jetstream import open_jetstream
from lib.events.jetstream_names import stream_name
from lib.http.server import serve_app
from lib.nats.url import parse
from services.catalog.app import create_app
from tests.services.catalog.conftest import PROVIDER, config_for
from tests.services.user.world import running_world

SERVICES = ("01890000-0000-7000-8000-00000000c401", "01890000-0000-7000-8000-00000000c402")
ADDED = "provider_service.added"


async def test_what_the_catalog_publishes_over_nats_is_in_the_audit_trail_once(
    new_database, issuer: TestIssuer, killable_nats: TestNats, tmp_path
) -> None:
    config = config_for(await new_database("catalog", demo=True), issuer, None)
    config = config.model_copy(update={"events_url": SecretStr(killable_nats.url)})
    headers = issuer.authorized(role=Role.PROVIDER, subject=PROVIDER)
    async with (
        running_world(await new_database("user"), tmp_path, events_url=killable_nats.url) as world,
        serve_app(create_app(config), config, port=0) as port,
        open_jetstream(parse(killable_nats.url), name="test") as broker,
    ):
        for number, service in enumerate(SERVICES, 1):
            address = f"http://127.0.0.1:{port}/api/v1/providers/{PROVIDER}/services"
            async with world.http.post(
                address, json={"service_id": service}, headers=headers
            ) as answer:
                assert answer.status in (200, 201), await answer.text()

            async def applied(number: int = number) -> bool:
                return await world.audited(ADDED) == number

            await eventually(applied)
            # Again, as by a relay that died before it had heard that the broker has it.
            js = await broker.context()
            stream = stream_name("catalog")
            last = (await js.stream_info(stream)).state.last_seq
            again = await js.get_msg(stream, last)
            await js.publish(str(again.subject), again.data or b"")

            async def finished() -> bool:
                backlog = await broker.subscription("catalog", "user-audit", "looks").backlog()
                return (backlog.lag, backlog.pending, backlog.dead) == (0, 0, 0)

            await eventually(finished)
        assert await world.audited(ADDED) == len(SERVICES)
        async with world.http.get(f"http://127.0.0.1:{port}/readyz") as ready:
            assert (await ready.json())["checks"]["nats"] == "ok"
