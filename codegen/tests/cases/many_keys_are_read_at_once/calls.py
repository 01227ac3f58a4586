"""Call the functions for many keys on a real server, and compare them with the single calls."""

import asyncio
import sys
from datetime import date
from uuid import UUID


async def run(db, queries):
    models = sys.modules[queries.__package__ + ".models"]
    await db.execute(
        "INSERT INTO team VALUES (1, 'a', 'sad'), (2, 'b', NULL), (3, 'c', 'ok')"
    )
    one, two, three = (UUID(int=number) for number in (1, 2, 3))
    for key, team, name, born in (
        (one, 1, "x", date(2000, 1, 1)),
        (two, 1, "y", None),
        (three, 2, "z", date(2000, 1, 1)),
    ):
        await db.execute(
            "INSERT INTO member VALUES ($1, $2, $3, $4)", key, team, name, born
        )
    teams = {key: await queries.get_team(db, id=key) for key in (1, 3)}
    assert await queries.get_team_many(db, ids=[3, 9, 1, 3]) == teams
    assert await queries.get_team_many(db, ids=[]) == {}
    assert await queries.get_team_name_many(db, ids=(2, 1)) == {1: "a", 2: "b"}
    moods = await queries.get_mood_many(db, names=["a", "b", "C"])
    assert {key: (row.id, row.mood) for key, row in moods.items()} == {
        "a": (1, models.Mood.SAD),
        "b": (2, None),
    }
    assert await queries.find_team_many(db, keys=["c", "d"]) == {"c": "c"}
    members = await queries.list_members_many(db, team_ids=[1, 2, 3])
    assert {key: [row.name for row in rows] for key, rows in members.items()} == {
        1: ["y", "x"],
        2: ["z"],
    }
    assert members[1] == await queries.list_members(db, team_id=1)
    born = await queries.list_teams_many(db, borns=[date(2000, 1, 1)], other="b")
    assert [row.team.id for row in born[date(2000, 1, 1)]] == [1]
    found = await queries.member_of_team_many(db, team_id=1, ids=[one, three])
    assert {key: row.name for key, row in found.items()} == {one: "x"}
    loader = queries.get_team_loader(db)
    assert await asyncio.gather(*(loader.load(key) for key in (3, 9, 1))) == [
        teams[3],
        None,
        teams[1],
    ]
    of_team = queries.list_members_loader(db, max_batch=2)
    assert await asyncio.gather(*(of_team.load(key) for key in (1, 3, 2))) == [
        members[1],
        [],
        members[2],
    ]
    nested = await queries.team_with_members_many(db, ids=[1, 2, 3, 4])
    assert nested == {
        key: await queries.team_with_members(db, id=key) for key in (1, 2, 3)
    }
    assert [len(nested[key].member) for key in (1, 2, 3)] == [2, 1, 0]
    moods = await queries.teams_of_mood_many(db, moods=list(models.Mood))
    assert moods == {
        mood: await queries.teams_of_mood(db, mood=mood) for mood in models.Mood
    }
    assert [row.id for row in moods[models.Mood.OK]] == [3]
    await db.execute("INSERT INTO job VALUES (1, 5, 'x', 9), (2, 6, NULL, 9)")
    jobs = await queries.list_jobs_many(db, rowses=[9, 8])
    assert jobs == {9: await queries.list_jobs(db, rows=9)}
    assert [job.batch_key for job in jobs[9]] == [6, 5]
    await pairs(queries, db, one, three)


async def pairs(queries, db, one, three):
    await db.execute("UPDATE member SET born = '2001-01-01' WHERE id = $1", UUID(int=2))
    since = date(2000, 6, 1)
    keys = [(1, one), (1, UUID(int=2)), (2, UUID(int=2)), (2, three), (1, UUID(int=2))]
    found = await queries.find_member_many(db, keys=keys, since=since)
    assert {key: row.name for key, row in found.items()} == {(1, UUID(int=2)): "y"}
    assert found[keys[1]] == await queries.find_member(
        db, team_id=1, id=UUID(int=2), since=since
    )
    assert await queries.find_member_many(db, keys=[], since=since) == {}
    loader = queries.find_member_loader(db, since=since)
    assert await asyncio.gather(*map(loader.load, keys[:3])) == [
        None,
        found[keys[1]],
        None,
    ]
    moods = list(sys.modules[queries.__package__ + ".models"].Mood)
    wanted = [(team, mood) for team in (1, 2, 3) for mood in moods]
    rows = await queries.mood_of_team_many(db, keys=wanted)
    single = {
        key: await queries.mood_of_team(db, id=key[0], mood=key[1]) for key in wanted
    }
    assert rows == {key: rows for key, rows in single.items() if rows}
    assert [len(each) for each in rows.values()] == [2]
    for more in (
        {},
        {"name": "x%"},
        {"name": "%", "sort": "name desc"},
        {"born": since, "sort": "born"},
        {"born": date(1999, 1, 1), "name": "y"},
    ):
        found = await queries.search_members_many(db, team_ids=[1, 2, 3], **more)
        for team in (1, 2, 3):
            one_team = await queries.search_members(db, team_id=team, **more)
            assert found.get(team, []) == one_team
        assert found
        of_team = queries.search_members_loader(db, **more)
        assert await of_team.load(1) == found.get(1, [])
    for other in (None, "x"):
        found = await queries.search_pairs_many(db, keys=keys, other=other)
        assert found == {
            key: name
            for key in keys
            if (
                name := await queries.search_pairs(
                    db, team_id=key[0], id=key[1], other=other
                )
            )
        }
        assert len(found) == (3 if other is None else 2)
