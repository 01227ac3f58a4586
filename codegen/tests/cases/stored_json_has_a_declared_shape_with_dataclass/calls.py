"""Stored JSON is read to the classes of its schema, strictly, and written from them."""

import json
import sys
from datetime import UTC, datetime
from typing import Any

import pytest


async def run(db: Any, queries: Any) -> None:
    models = sys.modules[f"{queries.__package__}.models"]
    error = sys.modules[f"{queries.__package__}.stored_json"].StoredJsonError
    alerts = models.UserPreferencesAlerts(mail=True, hours=[8.5])
    since = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
    full = models.UserPreferences(
        theme="dark", bio=None, alerts=alerts, size=12, since=since, tags=["a", "b"]
    )
    few = models.UserPreferences(
        theme="light", bio="é", alerts=models.UserPreferencesAlerts(mail=False)
    )
    await queries.add_user(
        db, id=1, name="ann", preferences=full, settings={"volume": 3}
    )
    await queries.add_user(db, id=2, name="bob", preferences=few, settings=None)
    await queries.add_friend(db, user_id=1, friend_id=2)

    # A member that may be missing is not written as null.
    written = json.loads(
        await db.fetchval("SELECT preferences::text FROM users WHERE id = 2")
    )
    assert written == {"theme": "light", "bio": "é", "alerts": {"mail": False}}

    user = await queries.get_user(db, id=1)
    assert (user.preferences, user.settings) == (full, {"volume": 3})
    assert (await queries.get_user(db, id=2)).settings is None
    assert await queries.get_preferences(db, id=2) == few
    assert await queries.get_theme(db, id=1) == "dark"
    assert await queries.find_by_preferences(db, preferences=full) == [1]

    first, second = await queries.list_paths(db)
    assert (first.theme, first.theme_text, first.size, first.bio) == (
        "dark",
        "dark",
        12,
        None,
    )
    assert (first.mail, first.mail_text, first.hour, first.volume) == (
        True,
        "true",
        8.5,
        3,
    )
    assert (first.tags, first.alerts, first.other) == (["a", "b"], alerts, None)
    assert (second.size, second.bio, second.hour, second.tags) == (
        None,
        "é",
        None,
        None,
    )

    one, two = await queries.list_of_with(db)
    assert (one.p, one.theme, one.next) == (full, "dark", few)
    assert two.next is None
    assert [row.theme for row in await queries.list_of_view(db)] == ["dark", "light"]
    friend, alone = await queries.list_friends(db)
    assert (friend.preferences, friend.theme) == (few, "light")
    assert (alone.preferences, alone.theme) == (None, None)

    card, other = await queries.list_cards(db)
    assert (card.card.preferences, card.card.theme, card.card.size) == (
        full,
        "dark",
        12,
    )
    assert (card.card.settings, other.card.settings) == ({"volume": 3}, None)
    assert (card.before, other.before) == ([full], [full, few])
    rows = await queries.list_rows(db)
    assert [row.preferences for row in rows] == [full, few]
    assert await queries.get_all(db) == [full, few]
    one, two = await queries.list_history(db)
    assert (one.history, two.history) == ([full], [full, few])
    assert (one.later, two.later) == (None, [None])

    await queries.set_preferences(db, preferences=few, id=1)
    assert await queries.get_preferences(db, id=1) == few
    await queries.merge_preferences(db, patch='{"size": 7}', id=1)
    assert (await queries.get_preferences(db, id=1)).size == 7

    # Errors name the query and the column.
    wrong = {"theme": "light", "bio": None, "alerts": {"mail": 1}}
    await queries.add_raw(db, id=3, name="eve", document=json.dumps(wrong))
    with pytest.raises(error, match=r"GetPreferences\.preferences: "):
        await queries.get_preferences(db, id=3)
    await db.execute("UPDATE users SET preferences = '{}' WHERE id = 3")
    with pytest.raises(error, match=r"ListPaths\.theme: the value is NULL"):
        await queries.list_paths(db)
