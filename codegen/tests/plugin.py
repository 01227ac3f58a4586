"""How tests run here and in the platform above: lengths, scratch folders, ports, the collector."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable
from contextlib import ExitStack

import hypothesis
import pytest

from . import scratch
from .servers import ports

# `rounds = full(200, sample=20)`: how often, in `make test-long` and in every other run.
Full = Callable[..., int]
# The same of what a property is tried with. No time limit: a busy machine would be a finding.
hypothesis.settings.register_profile("long", max_examples=500, deadline=None)
hypothesis.settings.register_profile("sample", max_examples=25, deadline=None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--long`."""
    parser.addoption(
        "--long", action="store_true", help="run what is long by nature, whole, and nothing else"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Keep the workers' ports apart: one could take what another has found free."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell has started us in its background; what we start would not hear Ctrl-C either.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    hypothesis.settings.load_profile("long" if config.getoption("--long") else "sample")
    worker = getattr(config, "workerinput", None)
    if worker is None:
        memory = ExitStack()
        memory.enter_context(scratch.in_memory())  # workers find it in their environment
        config.add_cleanup(memory.close)
    else:
        ports.keep_to_every(worker["workercount"], int(worker["workerid"].removeprefix("gw")))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what is marked `long` to the long run; it takes that, and all that is sampled here."""
    wanted = config.getoption("--long")
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        is_long = item.get_closest_marker("long") is not None
        has_sample = "full" in getattr(item, "fixturenames", ())
        has_sample |= hypothesis.is_hypothesis_test(getattr(item, "obj", None))
        is_both = wanted and has_sample
        (kept if is_both or is_long == wanted else left).append(item)
    for item in kept if wanted else ():
        item.add_marker(pytest.mark.timeout(3600))  # long, on a machine that is busy
    if left:
        config.hook.pytest_deselected(items=left)
    items[:] = kept


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """Let the collector rest: what is read now stays until the end."""
    gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Keep the collector away from half a million objects that thousands of tests are made of.

    What a test makes is gone with it, as a rule: the collector looks less often than it does by
    itself, which takes a twentieth of what tests take in this process, and no more memory.
    """
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """Collect what is left before plugins import what they end with.

    A task that ended badly logs its traceback when it is collected, for which Python 3.11 parses
    its lines. Amid the parsing of a module that is imported, the import fails (python/cpython
    #106905), and with it the whole run.
    """
    gc.collect()
    gc.disable()


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> Full:
    """Say how often what is long by nature is done."""
    is_long = request.config.getoption("--long")

    def times(whole: int, *, sample: int) -> int:
        return whole if is_long else sample

    return times
