"""The simulation of `bench.capacity` compared with known results."""

from __future__ import annotations

import random

import pytest
import simpy

from bench.capacity.__main__ import SATURATING, between
from bench.capacity.model import (
    STATEMENTS,
    Cores,
    Costs,
    Layout,
    Outcome,
    Row,
    Steps,
    fitting_shape,
    simulate,
)
from bench.capacity.routes import COLUMNS, money

CPU = {
    "client": 0.6, "nginx": 0.2, "order": 1.7, "user": 0.5, "product": 1.0, "postgres": 2.6,
    "redis": 0.1,
}  # fmt: skip
ALIKE = dict.fromkeys(STATEMENTS, 1.0)
COMMITS = 5  # draft, reservation, order, confirmation, sold
STEADY = 200.0  # a shape under which visits hardly differ


def simulated(callers: int, layout: Layout, *, flush: float, beside: float = 0.0) -> Outcome:
    costs = Costs(CPU, [flush], ALIKE, shape=STEADY, beside=beside)
    return simulate(costs, layout, callers=callers, orders=200, rounds=1)


@pytest.mark.parametrize("flush", [0.0, 2.0])
def test_an_order_alone_takes_its_work_and_its_commits(flush: float) -> None:
    found = simulated(1, Layout(), flush=flush)
    assert found.p50 == pytest.approx(sum(CPU.values()) + COMMITS * flush, rel=0.02)


@pytest.mark.parametrize(("cores", "beside"), [(2, 0.0), (1, 0.0), (2, 0.8)])
def test_many_at_a_time_use_up_the_cores_that_there_are(cores: int, beside: float) -> None:
    found = simulated(16, Layout(cores=cores), flush=0.0, beside=beside)
    assert found.rate == pytest.approx((cores - beside) * 1000 / sum(CPU.values()), rel=0.06)


def test_one_process_of_a_service_is_one_core_however_many_there_are() -> None:
    found = simulated(64, Layout(cores=64), flush=0.0)
    assert found.rate == pytest.approx(1000 / CPU["order"], rel=0.06)


def test_a_core_goes_to_the_process_that_has_had_least_and_not_to_who_asked_first() -> None:
    env, turns = simpy.Environment(), list[str]()
    cores = Cores(env, 1)

    def work(process: str) -> Steps:
        yield cores.turn(process)
        turns.append(process)
        yield env.timeout(1.0)
        cores.over(process, 1.0)

    for until, *processes in ((0.5, "busy"), (1.5, "third"), (9.0, "busy", "other")):
        for process in processes:
            env.process(work(str(process)))
        env.run(until=until)
    assert turns == ["busy", "third", "other", "busy"]


def test_a_row_goes_to_any_of_those_who_wait_and_to_each_once() -> None:
    env, had = simpy.Environment(), list[int]()
    row = Row(env, random.Random(1))

    def take(number: int) -> Steps:
        yield row.locked()
        yield env.timeout(1.0)
        had.append(number)
        row.next()

    for number in range(20):
        env.process(take(number))
    env.run()
    assert had != sorted(had)
    assert sorted(had) == list(range(20))


def test_a_product_that_all_want_is_reserved_by_one_after_the_other() -> None:
    flush, reserving = 20.0, CPU["postgres"] / 6
    alike = simulated(64, Layout(cores=64, replicas=64), flush=flush)
    # A flush, and often the rest of the one that was under way.
    assert 1000 / (reserving + 2 * flush) < alike.rate < 1000 / (reserving + flush)
    many = simulated(64, Layout(cores=64, replicas=64, hot=False), flush=flush)
    assert many.rate > 3 * alike.rate


def test_who_waits_for_the_disk_waits_for_one_flush_and_not_for_those_of_others() -> None:
    found = simulated(64, Layout(cores=64, replicas=64, hot=False), flush=20.0)
    assert found.p50 < 2 * COMMITS * 20.0 + 2 * sum(CPU.values())


@pytest.mark.parametrize(("callers", "costs"), [(1, 17.0), (8, 10.5), (SATURATING, 10.0)])
def test_what_is_done_once_for_all_costs_each_the_less_the_more_there_are(
    callers: int, costs: float
) -> None:
    assert between(17.0, 10.0, callers) == pytest.approx(costs, abs=0.05)


@pytest.mark.long
@pytest.mark.parametrize("shape", [2.0, 0.1])
def test_how_orders_differ_among_others_tells_how_visits_do(shape: float) -> None:
    costs = Costs(CPU, [0.1], ALIKE, shape=shape)
    seen = simulate(costs, Layout(), callers=16)
    assert fitting_shape(costs, 16, seen.p99 / seen.p50) == shape


def test_money_is_cores_twice_where_there_is_a_copy_and_what_is_stored_and_sent() -> None:
    used = dict.fromkeys(COLUMNS, 0.0) | {"services": 550.0, "postgres": 150.0, "answer kB": 270.0}
    found = {part: round(value) for part, value in money(1_000_000, used).items()}
    expected = {"services": 27, "nginx": 0, "redis": 0, "postgres": 15, "stored": 31, "sent": 19}
    assert found == expected | {"all": 91}
