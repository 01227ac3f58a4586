"""The lifetime of links without a setting: links in emails, and links to pictures."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from lib.auth import Role
from tests.services.user.cast import actor
from tests.services.user.test_pictures import ME, PNG, form
from tests.services.user.test_verification import SUBJECT
from tests.services.user.world import World


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Path]:
    return {"files_folder": tmp_path / "files"}


async def test_the_link_to_verify_works_for_seven_days(world: World) -> None:
    await world.register()
    await world.token(SUBJECT)
    lasts = await world.db.fetchval(
        "SELECT expires_at - created_at FROM account_token WHERE kind = 'verify_email'"
    )
    assert abs(lasts - timedelta(hours=168)) < timedelta(minutes=1)


async def test_a_link_to_a_picture_works_for_a_day(world: World) -> None:
    ann = await actor(world, Role.CUSTOMER, "ann")
    answer = await ann.call("PUT", f"{ME}/picture", data=form(("image", PNG)))
    assert answer.status == 204, answer.body
    link = urlsplit((await ann.me())["picture_url"])
    (expires,) = parse_qs(link.query)["expires"]
    # Links are rounded, so that pages may keep them.
    assert abs(int(expires) - time.time() - 24 * 3600) < 3700
