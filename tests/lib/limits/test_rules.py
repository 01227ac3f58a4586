"""The arithmetic of the two rules, and the store in the process."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devstack.testing.clock import Clock
from lib.limits import TokenBucket, Window
from lib.limits.memory import MemoryStore
from lib.limits.rules import Counted

rates = st.sampled_from([0.5, 1.0, 3.0, 100.0])
bursts = st.integers(1, 20)
gaps = st.lists(st.floats(0, 5, allow_nan=False), min_size=1, max_size=60)


def test_a_full_bucket_gives_its_burst_at_once_and_then_its_rate() -> None:
    store, clock = MemoryStore(clock=(clock := Clock(1_700_000_000.0))), clock
    rule = TokenBucket(rate=100.0, burst=200)
    assert sum(store.take(rule, "ip:a").allowed for _ in range(500)) == 200
    clock.now += 1.0
    assert sum(store.take(rule, "ip:a").allowed for _ in range(500)) == 100


def test_a_refusal_says_how_long_to_wait() -> None:
    store = MemoryStore(clock=Clock(1_700_000_000.0))
    rule = TokenBucket(rate=0.5, burst=1)
    first, second = store.take(rule, "ip:a"), store.take(rule, "ip:a")
    assert first.headers() == {
        "RateLimit-Limit": "1",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "2",
    }
    assert second.headers()["Retry-After"] == "2"


def test_keys_and_rules_do_not_share_a_bucket() -> None:
    store = MemoryStore(clock=Clock(1_700_000_000.0))
    # The last one has the numbers of the first.
    rules = (TokenBucket(1.0, 1), TokenBucket(2.0, 1), Window(1, 1.0))
    decisions = [store.take(rule, key) for rule in rules for key in ("ip:a", "ip:b")]
    assert all(decision.allowed for decision in decisions)


@given(rates, bursts, gaps)
def test_a_bucket_never_gives_more_than_its_burst_and_what_flowed_in(
    rate: float, burst: int, waits: list[float]
) -> None:
    rule, full_at, now = TokenBucket(rate, burst), 0.0, 1000.0
    taken, began = 0, now
    for wait in waits:
        now += wait
        full_at, decision = rule.take(full_at, now)
        taken += decision.allowed
        assert 0 <= decision.remaining < burst
        assert taken <= burst + (now - began) * rate + 1e-3


@given(rates, bursts, gaps)
def test_after_retry_after_a_bucket_gives_one(rate: float, burst: int, waits: list[float]) -> None:
    rule, full_at, now = TokenBucket(rate, burst), 0.0, 1000.0
    for wait in waits:
        now += wait / 50
        full_at, decision = rule.take(full_at, now)
        if not decision.allowed:
            assert rule.take(full_at, now + decision.retry_after)[1].allowed


@given(st.integers(1, 10), st.sampled_from([1.0, 10.0, 60.0]), gaps)
def test_after_retry_after_a_window_gives_one(
    limit: int, seconds: float, waits: list[float]
) -> None:
    rule, counted, now = Window(limit, seconds), Counted(), 1000.0
    for wait in waits:
        now += wait
        counted, decision = rule.take(counted, now)
        if not decision.allowed:
            later = now + decision.retry_after + 1e-4
            assert rule.take(counted, later)[1].allowed


@given(st.integers(1, 10), gaps)
def test_no_window_holds_more_than_the_limit(limit: int, waits: list[float]) -> None:
    rule, counted, now = Window(limit, 10.0), Counted(), 1000.0
    granted: list[float] = []
    for wait in waits:
        now += wait
        counted, decision = rule.take(counted, now)
        if decision.allowed:
            granted.append(now)
    for moment in granted:
        aligned = [other for other in granted if other // 10.0 == moment // 10.0]
        assert len(aligned) <= limit


def test_a_burst_at_the_end_of_a_window_is_remembered_in_the_next() -> None:
    clock = Clock(1_700_000_000.0)
    clock.now = 1000.0 * 60 + 59.9
    store, rule = MemoryStore(clock=clock), Window(10, 60.0)
    assert sum(store.take(rule, "user:a").allowed for _ in range(20)) == 10
    clock.now += 0.2
    assert sum(store.take(rule, "user:a").allowed for _ in range(20)) == 0
    clock.now += 30.0
    assert sum(store.take(rule, "user:a").allowed for _ in range(20)) == 5


def test_idle_keys_are_evicted() -> None:
    clock = Clock(1_700_000_000.0)
    store, rule = MemoryStore(clock=clock), TokenBucket(100.0, 200)
    for number in range(500):
        store.take(rule, f"ip:{number}")
    assert len(store) == 500
    clock.now += rule.idle_seconds
    for _ in range(500):
        store.take(rule, "ip:new")
    assert len(store) == 1


def test_the_table_is_bounded_and_forgets_the_longest_unseen_first() -> None:
    store, rule = MemoryStore(max_keys=100, clock=Clock(1_700_000_000.0)), TokenBucket(0.001, 1)
    store.take(rule, "ip:attacker")
    for number in range(1000):
        store.take(rule, f"ip:{number}")
        assert not store.take(rule, "ip:attacker").allowed  # seen all the time, so kept
    assert len(store) == 100


def test_an_idle_key_does_not_wait_for_one_that_was_older() -> None:
    clock = Clock(1_700_000_000.0)
    store, bucket, window = MemoryStore(clock=clock), TokenBucket(100.0, 200), Window(10, 600.0)
    store.take(window, "user:a")  # looked at as the oldest, and idle in twenty minutes
    store.take(bucket, "ip:old")
    store.take(window, "user:a")
    clock.now += bucket.idle_seconds + 1.0
    for _ in range(2):
        store.take(window, "user:a")
    assert len(store) == 1
