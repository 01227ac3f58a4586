"""Slow tests: a part of them runs every time, and all of them run with `--long`."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import pytest_collection_modifyitems


@dataclass
class Item:
    """The parts of a test item that the plugin reads."""

    nodeid: str
    fixturenames: tuple[str, ...] = ()
    marker: object = None
    obj: object = None
    has_time: bool = False

    def get_closest_marker(self, name: str) -> object:
        return self.marker if name == "long" else None

    def add_marker(self, mark: pytest.MarkDecorator) -> None:
        if mark.name == "timeout":
            assert mark.args == (3600,)
            self.has_time = True


@dataclass
class Config:
    """A run with or without `--long`."""

    is_long: bool
    deselected: list[str] = field(default_factory=list)

    def getoption(self, name: str) -> bool:
        assert name == "--long"
        return self.is_long

    @property
    def hook(self) -> SimpleNamespace:
        return SimpleNamespace(
            pytest_deselected=lambda items: self.deselected.extend(i.nodeid for i in items)
        )


@pytest.mark.parametrize(
    ("is_long", "ran", "left"),
    [
        (False, ["tests/e2e/test_b", "plain", "counted", "property"], ["case"]),
        (True, ["counted", "case", "property"], ["plain", "tests/e2e/test_b"]),
    ],
)
def test_the_long_run_takes_all_of_what_others_take_a_sample(is_long, ran, left):
    items = [
        Item("plain"), Item("counted", ("full",)), Item("case", ("full",), object()),
        Item("tests/e2e/test_b"), Item("property", obj=a_property),
    ]  # fmt: skip
    config = Config(is_long)
    pytest_collection_modifyitems(config, items)
    assert ([item.nodeid for item in items], config.deselected) == (ran, left)
    assert all(item.has_time is is_long for item in items)


@given(st.none())
def a_property(_: None) -> None:
    """A property that the long run checks with more examples."""


def test_this_run_counts_as_it_should(full, request):
    is_long = request.config.getoption("--long")
    assert full(200, sample=20) == (200 if is_long else 20)
    assert settings().max_examples == (500 if is_long else 25)
    assert settings().deadline is None
