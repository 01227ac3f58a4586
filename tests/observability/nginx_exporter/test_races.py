"""A line is read once, for any change of the log between two system calls of the follower.

A busy machine can stop the follower between any two of its calls while the writer rotates the log
several times. It can also stop the writer between any two of its steps while the follower is
killed.
"""

import os
import random
import tempfile
from pathlib import Path

import pytest

from observability.nginx_exporter import siblings
from observability.nginx_exporter.tracks import Opened
from tests.observability.nginx_exporter.world import World


class Killed(BaseException):
    """The process has ended; no error handler sees this exception."""


@pytest.fixture
def before_each_call(monkeypatch):
    """`before_each_call(do)` calls `do(name)` before every call of the follower."""
    calls = [(Opened, name) for name in ("__init__", "size", "head", "read")]
    calls += [(siblings, name) for name in ("_found", "_rotated")]

    def install(do):
        def preceded(name, real):
            def call(*arguments):
                do(name)
                return real(*arguments)

            return call

        for owner, name in calls:
            monkeypatch.setattr(owner, name, preceded(name, getattr(owner, name)))

    return install


# What is done before; the call of the follower that has to wait; what is done meanwhile, and after.
RACES = {
    "the_copy_is_renamed_before_it_is_opened": ("write poll copytruncate", "__init__", "shift", ""),
    "cut_after_the_first_listing": ("write poll stop_and_start", "__init__", "copytruncate", ""),
    "cut_after_the_first_listing_and_killed": (
        *("write poll stop_and_start", "__init__", "copytruncate"),
        "stop_and_start",
    ),
    "written_and_copied_before_the_listing": (
        *("rename_and_create poll", "_rotated", "write copy"),
        "read_on cut",
    ),
    "a_copy_known_as_such_is_renamed_before_it_is_opened": (
        *("write poll write copy look cut", "__init__", "shift"),
        "",
    ),
    "a_new_log_is_copied_during_the_listing": (
        *("write poll", "_rotated", "rename write copy"),
        "read_on poll cut",
    ),
    "cut_and_written_again_before_it_is_read": (
        *("write poll", "read", "write copytruncate write write write"),
        "",
    ),
}


@pytest.mark.parametrize(("before", "call", "meanwhile", "after"), RACES.values(), ids=RACES.keys())
def test_a_line_is_read_once_when(before, call, meanwhile, after, world, before_each_call):
    def do(steps):
        for step in steps.split():
            getattr(world, step)()

    def wait(name):
        nonlocal meanwhile
        if name == call:
            steps, meanwhile = meanwhile, ""
            do(steps)

    world.poll()
    world.commit()
    do(before)
    before_each_call(wait)
    world.poll()
    do(after)
    world.settle()
    assert sorted(world.read) == world.written


def test_no_step_of_the_writer_between_any_calls_loses_or_repeats_a_line(full, before_each_call):
    chance = None
    before_each_call(lambda name: chance(name))
    for seed in range(full(10_000, sample=400)):
        dice = random.Random(seed)
        with tempfile.TemporaryDirectory() as folder:
            world = World(Path(folder))
            world.log.touch()
            chance = undisturbed
            world.poll()
            chance = Chances(dice, writer(world, dice))
            follow(world, dice, chance)
            assert (seed, sorted(world.read)) == (seed, world.written)


def undisturbed(_):
    """Files that were rotated before the first read are not checked here."""


class Chances:
    """Before a call of the follower, the writer takes some steps, or the follower is killed."""

    def __init__(self, dice, steps):
        self.dice, self.steps, self.over, self.rest = dice, steps, False, False
        self.waits, self.kills = dice.choice([0.02, 0.05, 0.2]), dice.choice([0, 0, 0.01, 0.03])

    def __call__(self, _):
        if self.over or self.rest:
            return
        if self.dice.random() < self.waits:
            self.write(self.dice.choice([1, 1, 2, 3, 5, 10, 20]))
        if self.dice.random() < self.kills:
            raise Killed

    def write(self, steps):
        for _ in range(steps):
            self.over |= next(self.steps, None) is None


def follow(world, dice, chance):
    """Act as the exporter: look, read, save sometimes, and restart after a kill."""
    world.commit()
    while not chance.over:
        try:
            chance.write(dice.choice([0, 0, 0, 1, 2, 5]))
            world.poll()
            if dice.random() < 0.5:
                world.commit()
            if dice.random() < 0.03:
                chance.rest = True  # A minute is many looks, and not all of them are disturbed.
                world.wait()
                chance.rest = False
        except Killed:
            world.crash()
    world.settle()
    world.follower.close()


def writer(world, dice):
    """Write, copy, truncate and rename one step at a time; a piece may end anywhere in a line."""
    for _ in range(dice.randint(2, 8)):
        for piece in halves(world.lines(dice.choice([1, 1, 2, 5, 20])), dice):
            world.append(piece)
            yield "write"
        if dice.random() < 0.6:
            yield from rotation(world, dice)


def rotation(world, dice):
    for number in range(30, 0, -1):
        if (old := Path(f"{world.log}.{number}")).exists():
            old.rename(f"{world.log}.{number + 1}")
            yield "shift"
    rotated = Path(f"{world.log}.1")
    if dice.random() < 0.35:
        world.log.rename(rotated)
        yield "rename"
        return
    content = world.log.read_bytes()
    rotated.touch()
    yield "create the copy"
    for piece in halves(content, dice):
        with rotated.open("ab") as copy:
            copy.write(piece)
        yield "copy"
    os.truncate(world.log, 0)
    yield "cut"


def halves(content, dice):
    middle = dice.choice([0, dice.randint(0, len(content))])
    return [piece for piece in (content[:middle], content[middle:]) if piece]
