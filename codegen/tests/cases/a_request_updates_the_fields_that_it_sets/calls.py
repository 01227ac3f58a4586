"""What the generated functions must do on a real server: three kinds of requests, one text each."""

import json

import msgspec
import pydantic
import pytest
from msgspec import UNSET, UnsetType



class MsgspecPatch(msgspec.Struct):
    name: str | UnsetType = UNSET
    bio: str | None | UnsetType = UNSET


class PydanticPatch(pydantic.BaseModel):
    name: str = ""
    bio: str | None = None


BODIES = [
    ({}, ("Ada", "old", 1)),
    ({"bio": None}, ("Ada", None, 2)),
    ({"name": "Bea"}, ("Bea", None, 3)),
    ({"name": "Cy", "bio": "new"}, ("Cy", "new", 4)),
]


async def run(db, queries):
    first = await queries.add_author(db, name="Ada", bio="old")
    second = await queries.add_author(db, name="Ada", bio="old")
    for body, expected in BODIES:
        sent = json.dumps(body)
        patch = msgspec.json.decode(sent, type=MsgspecPatch)
        row = await queries.patch_author(db, id=first, name=patch.name, bio=patch.bio)
        assert (row.name, row.bio, row.changes) == expected
        given = PydanticPatch.model_validate_json(sent).model_dump(exclude_unset=True)
        row = await queries.patch_author(db, id=second, **given)
        assert (row.name, row.bio, row.changes) == expected
    with pytest.raises(TypeError):
        await queries.patch_author(db, id=first, **{"changes": 0})
