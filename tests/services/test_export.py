"""An export contains all data about its owner from all services, and none about others."""

from __future__ import annotations

from typing import Any

import asyncpg

from devstack.testing.wait import eventually
from tests.services.marketplace import (
    LATITUDE,
    NEEDS,
    PRAISE,
    SAID,  # with chat
    Marketplace,
    running_marketplace,
)


async def exported(marketplace: Marketplace, session: Any) -> Any:
    return await marketplace.call("user", "GET", "users/me/export", session, None, 200)


async def buy(marketplace: Marketplace, session: Any) -> None:
    """Add goods that a user has bought and received."""
    order = await asyncpg.connect(marketplace.databases["order"])
    await order.execute(
        "INSERT INTO goods_order (id, user_id, status, pending_validation, total, currency, stock,"
        " reservation_id, created_by, updated_by) VALUES (gen_random_uuid(), $1, 'delivered',"
        " false, 12.5, 'EUR', 'sold', gen_random_uuid(), 'x', 'x')",
        session["user_id"],
    )
    await order.close()


async def test_the_export_has_orders_chats_and_points_and_nobody_elses(
    new_database,
    own_redis_url,
    tmp_path,
) -> None:
    async with running_marketplace(new_database, own_redis_url, tmp_path) as marketplace:
        ann = await marketplace.signed_in("ann@example.com")
        eve = await marketplace.signed_in("eve@example.com")
        bob = await marketplace.provider("bob@example.com")
        ordered = await marketplace.ordered(ann, bob)
        channel = await marketplace.channel(ann, ordered)  # with chat
        # More than a page.
        for number in range(120):  # with chat
            said = {"client_id": f"m{number}", "text": f"word {number}"}
            path = f"channels/{channel}/messages"
            await marketplace.call("chat", "POST", path, ann, said, 201)
        await marketplace.works_from(bob)
        await buy(marketplace, ann)

        found = (await exported(marketplace, ann))["elsewhere"]
        assert found["missing"] == []
        (order,) = found["orders"]["service_orders"]
        assert (order["description"], order["location"]["latitude"]) == (NEEDS, LATITUDE)
        assert [one["total"] for one in found["orders"]["goods"]] == ["12.50"]
        assert [one["comment"] for one in found["orders"]["reviews_as_customer"]] == [PRAISE]
        (job,) = found["orders"]["jobs_as_customer"]
        assert job["id"] == ordered
        assert job["status"] == "COMPLETED"
        review = {"job_id": job["id"], "rating": 5, "comment": "Tea was made."}
        await marketplace.call("order", "POST", "reviews", bob, review, 201)
        # with chat, from here
        (chat,) = [one for one in found["chats"] if one["channel"]["id"] == channel]
        said = [message["text"] for message in chat["messages"]]
        assert len(said) == 121
        assert SAID in said
        # with chat, to here

        async def has_points() -> bool:
            points = (await exported(marketplace, ann))["elsewhere"]["points"]
            return [point["amount"] > 0 for point in points] == [True]

        await eventually(has_points)  # the job's, a moment later

        of_bob = (await exported(marketplace, bob))["elsewhere"]
        assert len(of_bob["orders"]["offers"]) == len(of_bob["orders"]["jobs_as_provider"]) == 1
        assert of_bob["orders"]["reviews_as_provider"][0]["comment"] == "Tea was made."
        assert of_bob["orders"]["works_from"][0]["location"]["latitude"] == LATITUDE
        # An administrator sees everybody's lists: what they take away is theirs alone.
        sql = marketplace.world.db
        await sql.execute("UPDATE account SET role = 'ADMIN' WHERE email = 'eve@example.com'")
        eve = (await marketplace.world.login("eve@example.com")).data
        of_eve = (await exported(marketplace, eve))["elsewhere"]
        assert of_eve == {
            "points": [],
            "chats": [],  # with chat
            "missing": [],
            "orders": {name: [] for name in found["orders"]},
        }


async def test_who_cannot_be_asked_is_named_in_the_export(  # with chat
    new_database,
    own_redis_url,
    tmp_path,
) -> None:
    away = {"chat_url": "http://127.0.0.1:1"}
    async with running_marketplace(new_database, own_redis_url, tmp_path, **away) as marketplace:
        ann = await marketplace.signed_in("ann@example.com")
        found = await exported(marketplace, ann)
        assert found["elsewhere"]["missing"] == ["chat"]
        assert found["account"]["email"] == "ann@example.com"
