"""Every message arrives once and in order, even if announcements are lost, repeated or late."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.chat.rooms.feed import Feed, LocalUser
from services.chat.rooms.seat import Seat
from services.chat.rooms.wire import text_frame

CHANNEL, ALICE, BOB = UUID(int=1), UUID(int=2), UUID(int=3)


def frame_of(sequence: int) -> bytes:
    return str(sequence).encode()


def followed(last: int = 0) -> tuple[Feed, list[int]]:
    """A feed with one socket, and the frames of this socket."""
    feed, user, given = Feed(CHANNEL, (ALICE, BOB), last), LocalUser(ALICE), []
    seat = Seat(lambda frame: given.append(int(frame)))
    seat.live = True
    user.seats.add(seat)
    feed.users.append(user)
    return feed, given


announcements = st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=120)


@given(announcements, st.integers(0, 5))
def test_any_announcements_and_a_look_into_the_database_deliver_each_once(said, last) -> None:
    feed, given = followed(last)
    for sequence, with_frame in said:
        feed.accept(sequence, frame_of(sequence) if with_frame else b"")
        # Never out of order, never a gap: what is missing is waited for.
        assert given == list(range(last + 1, last + 1 + len(given)))
    assert feed.lacks == (feed.last < max(last, *(sequence for sequence, _ in said)))
    for sequence in range(feed.last + 1, feed.known + 1):
        feed.fill(sequence, frame_of(sequence))
    assert given == list(range(last + 1, feed.known + 1))
    assert not feed.lacks


@given(st.permutations(range(1, 41)))
def test_nothing_is_read_for_what_is_only_late(order) -> None:
    feed, given = followed()
    for sequence in order:
        feed.accept(sequence, frame_of(sequence))
    assert given == list(range(1, 41))


def test_what_retention_has_dropped_is_passed_over() -> None:
    feed, given = followed()
    feed.accept(9, b"")
    feed.fill(7, frame_of(7))
    feed.give_up(9)
    feed.accept(10, frame_of(10))
    assert given == [7, 10]


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12))
def test_a_resume_and_the_feed_together_give_each_once(start, read, live) -> None:
    """The resume reads `read` while the feed announces messages; `live` are announced after it."""
    feed, user, given = Feed(CHANNEL, (ALICE, BOB), start), LocalUser(ALICE), []
    seat = Seat(lambda frame: given.append(int(frame)))
    user.seats.add(seat)
    feed.users.append(user)
    feed.accept(start + 1, frame_of(start + 1))  # before the socket is live
    seat.hold(CHANNEL)
    seat.live = True
    stored = max(start + 1, read)
    for sequence in range(start + 2, min(live, stored) + 1):
        feed.accept(sequence, frame_of(sequence))
    given += range(1, stored + 1)
    seat.catch_up_done(CHANNEL, stored, feed.last)
    for sequence in range(1, stored + live + 1):
        feed.accept(sequence, frame_of(sequence))
    assert given == list(range(1, stored + live + 1))


def test_a_frame_is_what_the_protocol_says() -> None:
    for size, head in (
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65535, b"\x81\x7e\xff\xff"),
        (65536, b"\x81\x7f" + (65536).to_bytes(8, "big")),
    ):
        assert text_frame(b"x" * size) == head + b"x" * size
