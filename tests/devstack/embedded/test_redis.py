"""The embedded Redis works in any folder."""

from __future__ import annotations

import subprocess

import pytest

from devstack.embedded import children, redis
from devstack.embedded.ports import free_port
from devstack.testing.wait import eventually


@pytest.mark.parametrize(
    "name", ["two words", "ünïcode", 'quo"te', "back\\slash", "it's", "x" * 200]
)
async def test_its_folder_may_have_any_name(tmp_path, name):
    instance = redis.Instance(tmp_path / name, free_port(), "secret")
    command = redis.command(redis.prepare(instance))
    server = children.spawn(command, log=subprocess.DEVNULL)
    try:
        await eventually(lambda: redis.accepts(instance))
    finally:
        children.stop(server, within=30)
    assert list(instance.data.glob("appendonly*"))
