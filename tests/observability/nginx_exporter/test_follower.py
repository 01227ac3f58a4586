"""The follower counts every line once, for any change of the file between two reads."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.observability.nginx_exporter.world import World

OPERATIONS = (
    *("write", "rename", "rename_and_create", "copytruncate"),
    *("truncate_when_read", "drop_oldest_when_read"),
    *("look", "poll", "wait", "commit", "stop_and_start", "crash"),
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.one_of(
            st.sampled_from(OPERATIONS).map(lambda name: (name,)),
            st.tuples(st.just("write"), st.integers(1, 40)),
        ),
        max_size=40,
    )
)
def test_no_interleaving_loses_or_repeats_a_line(operations):
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        world.poll()
        world.commit()
        for name, *arguments in operations:
            getattr(world, name)(*arguments)
        world.settle()
        world.follower.close()
        assert sorted(world.read) == world.written


# Each case is a story; every line written in it must be read exactly once.
STORIES = {
    "renamed_before_it_was_read": "write poll write rename write poll",
    "renamed_and_written_on_by_name": "write poll rename_and_create write poll",
    "renamed_twice_between_looks": "write poll rename write rename write poll",
    "renamed_twice_while_stopped": "write stop_and_start write rename write rename write poll",
    "copied_and_cut_before_it_was_read": "write poll write copytruncate write poll",
    "copied_and_cut_twice_between_looks": "write poll write copytruncate write copytruncate write",
    "copied_and_cut_while_stopped": "write poll stop_and_start write copytruncate write",
    "copied_first_and_cut_later": "write poll write save_a_copy poll write poll",
    "a_kept_copy_is_not_counted": "write poll save_a_copy poll rename write wait poll crash poll",
    "killed_before_anything_was_saved": "write poll crash poll write rename crash",
    "written_after_the_copy_and_read_before_the_cut": "write poll look copy write read_on cut",
    "copied_and_cut_before_half_a_line": (
        "rename_and_create poll stop_and_start write copytruncate begin_a_line poll end_the_line"
    ),
    "copied_twice_and_cut_before_it_was_seen": "poll write save_a_copy write copytruncate",
    "copied_again_and_cut_before_it_was_seen": "poll write copy write save_a_copy cut",
    "a_kept_copy_is_made_anew": "write poll save_a_copy poll save_a_fresh_copy poll",
    "an_empty_file_s_inode_is_used_again": (
        "rename_and_create poll rename write drop_oldest_when_read crash copytruncate"
    ),
    "silent_for_long_then_renamed": "write wait wait rename write wait",
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_a_line_is_read_once_when_the_log_is(story, world):
    world.poll()
    world.commit()
    for step in story.split():
        getattr(world, step)()
    world.settle()
    assert sorted(world.read) == world.written


def test_the_writer_may_keep_the_renamed_file_until_it_is_told_to_reopen(world):
    world.write()
    world.poll()
    with world.log.open("ab") as held:
        world.rename_and_create()
        world.poll()
        held.write(b"late\n")
    world.poll()
    assert world.read[-1] == b"late"


def test_a_half_written_line_waits_for_its_end(world):
    world.log.write_bytes(b"one\ntw")
    world.poll()
    assert world.read == [b"one"]
    with world.log.open("ab") as file:
        file.write(b"o\n")
    world.poll()
    assert world.read == [b"one", b"two"]


def test_a_rotated_file_without_a_last_newline_is_read_to_its_end(world):
    world.log.write_bytes(b"one\ntwo")
    world.poll()
    world.rename_and_create()
    world.poll()
    world.wait()
    assert world.read == [b"one", b"two"]


def test_a_reused_inode_is_a_new_file(world):
    world.write(3)
    world.poll()
    world.commit()
    world.follower.close()
    # Same inode, other content: what a filesystem does with a deleted file's number.
    world.log.write_bytes(
        b"".join(b"fresh line number %d, longer than before\n" % n for n in range(9))
    )
    world.crash()
    world.poll()
    assert len(world.read) == 3 + 9


def test_rotated_files_from_before_the_first_start_are_history(world):
    world.log.with_name("access.log.1").write_bytes(b"old\n")
    world.log.write_bytes(b"new\n")
    world.settle()
    assert world.read == [b"new"]


def test_starting_at_the_end_skips_what_is_there(world):
    world.log.write_bytes(b"old\n")
    follower = world.start(start="end")
    follower.look()
    with world.log.open("ab") as file:
        file.write(b"new\n")
    while follower.read():
        pass
    follower.close()
    assert world.read == [b"new"]


def test_compressed_files_and_other_logs_are_left_alone(world):
    world.poll()
    for name in ("access.log.1.gz", "access.log.state.json", "access.log2", "error.log"):
        world.log.with_name(name).write_bytes(b"not ours\n")
    world.settle()
    assert world.read == []


@pytest.mark.parametrize("length", [699, 700, 701, 1399, 1400, 1401, 5000])
def test_a_line_of_any_length_is_one_line(world, length):
    world.log.write_bytes(b"first\n" + b"x" * length + b"\nnext\n")
    world.settle()
    first, long, *rest = world.read
    assert (first, set(long), rest) == (b"first", set(b"x"), [b"next"])


def test_the_end_of_an_overlong_line_is_no_line_of_its_own(world):
    world.log.write_bytes(b"x" * 1000)
    world.settle()
    world.stop_and_start()
    world.rename()
    with world.log.with_name("access.log.1").open("ab") as file:
        file.write(b"the rest\nnext\n")
    world.settle()
    assert world.read == [b"x" * 700, b"next"]


def test_a_half_written_overlong_line_ends_with_its_file(world):
    world.log.write_bytes(b"x" * 1000)
    world.settle()
    world.rename_and_create()
    world.settle()
    world.wait()
    assert world.read == [b"x" * 700]


def test_what_a_link_leads_to_is_rotated_where_it_is(world):
    place = world.log.parent / "elsewhere"
    place.mkdir()
    real = place / "real.log"
    world.log.symlink_to(real)
    real.write_bytes(b"one\n")
    world.settle()
    world.stop_and_start()
    with real.open("ab") as file:
        file.write(b"two\n")
    real.rename(place / "real.log.1")
    real.write_bytes(b"three\n")
    world.settle()
    assert sorted(world.read) == [b"one", b"three", b"two"]
    assert world.follower.state.lost_files == 0


def test_a_file_that_is_gone_after_a_restart_is_reported(world):
    world.write()
    world.poll()
    world.stop_and_start()
    world.log.unlink()
    world.poll()
    assert world.follower.state.lost_files == 1


def test_lag_is_what_is_written_but_not_read(world):
    world.poll()
    world.log.write_bytes(b"12345\n")
    world.follower.look()
    assert world.follower.lag() == 6
    world.poll()
    assert world.follower.lag() == 0


def test_a_log_that_is_away_is_down_and_comes_back(world):
    world.poll()
    assert not world.follower.up
    world.write()
    world.poll()
    assert world.follower.up
