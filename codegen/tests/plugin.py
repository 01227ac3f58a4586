"""Settings of the tests here and in the platform: lengths, temporary folders, ports, collector."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable
from contextlib import ExitStack

import hypothesis
import pytest

from . import scratch

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
    """Choose how many examples a run tries, and where it writes its temporary files."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell has started us in its background; what we start would not hear Ctrl-C either.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    hypothesis.settings.load_profile("long" if config.getoption("--long") else "sample")
    if not hasattr(config, "workerinput"):
        memory = ExitStack()
        memory.enter_context(scratch.in_memory())  # workers find it in their environment
        config.add_cleanup(memory.close)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select tests marked `long`, and tests of which this run samples a part, for the long run."""
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
    """Disable the garbage collector while tests are collected: the objects stay to the end."""
    gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Exclude half a million objects of the test items from garbage collection.

    The objects of a test usually end with it. So the collector runs less often than by default,
    which would take a twentieth of the test time in this process.
    """
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """Collect garbage before plugins import modules at the end.

    A failed task logs its traceback when it is collected, and Python 3.11 parses its lines for
    this. If this happens while the parser reads an imported module, the import fails
    (python/cpython #106905), and with it the whole run.
    """
    gc.collect()
    gc.disable()


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> Full:
    """Return the number of repetitions of a test that is long by nature."""
    is_long = request.config.getoption("--long")

    def times(whole: int, *, sample: int) -> int:
        return whole if is_long else sample

    return times
