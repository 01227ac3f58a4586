"""The settings page and the example of `.env` match the settings that services load."""

from __future__ import annotations

import re

import pytest
from dotenv import dotenv_values
from pydantic import Field, SecretStr

from devstack.settings import ROOT, service_names
from lib.config import LogFormat, Port, Seconds, Settings
from tools import settings_page


def test_every_variable_is_there_once_with_who_reads_it():
    found = {entry.name: entry for entry in settings_page.entries()}
    assert found["<SVC>_DATABASE_URL"].services == found["ENVIRONMENT"].services == service_names()
    assert found["<SVC>_DATABASE_URL"].default == "**required**"
    assert found["SMTP_HOST"].services == found["USER_PORT"].services == ["user"]
    page = settings_page.PAGE.read_text()
    names = re.findall(r"^\| `([^`]+)`", page, re.MULTILINE)
    assert len(set(names)) == len(names)
    assert set(found) < set(names)


class Shop(Settings):
    # A line of reasons,
    # and another one.
    plain: Port = 80
    maybe: Port | None = None
    seconds: Seconds | None = 1.5
    format: LogFormat = LogFormat.JSON
    folders: tuple[str, ...] = ("a", "b")
    secret: SecretStr = SecretStr("hush")
    threads: int = Field(default_factory=lambda: 3, ge=1, le=9)
    missing: str


@pytest.mark.parametrize(
    ("field", "kind", "default"),
    [
        ("plain", "port", "80"),
        ("maybe", "port", "–"),
        ("seconds", "number > 0", "1.5"),
        ("format", "json, console", "json"),
        ("folders", "list", "a,b"),
        ("secret", "secret", "for development only"),
        ("threads", "integer ≥ 1 ≤ 9", "the machine's"),
        ("missing", "text", "**required**"),
    ],
)
def test_a_type_and_a_default_are_told_in_words(field, kind, default):
    info = Shop.model_fields[field]
    assert (settings_page._kind(info), settings_page._default(info)) == (kind, default)


def test_the_comment_above_a_field_explains_it_and_no_other():
    notes = settings_page._notes(Shop)
    assert (notes["plain"], notes["maybe"]) == ("A line of reasons, and another one.", "")


def test_no_development_secret_is_told():
    text = "".join(settings_page.files("").values())
    for service in service_names():
        spec = settings_page.spec_of(service)
        for info in spec.model_fields.values():
            if isinstance(info.default, SecretStr) and info.default.get_secret_value():
                known = info.default.get_secret_value()
                assert known == "for development only" or known not in text


def test_the_example_changes_nothing_and_names_only_what_is_read():
    example = ROOT / ".env.example"
    assert dotenv_values(example) == {}
    known = {entry.name for entry in settings_page.entries()}
    known |= {name for name, *_ in settings_page.STACK}
    known |= {f"{name.upper()}_DATABASE_URL" for name in service_names()}
    assert set(re.findall(r"^#(\w+)=", example.read_text(), re.MULTILINE)) <= known


def test_every_setting_says_what_it_means() -> None:
    rows = [(entry.name, entry.note) for entry in settings_page.entries()]
    rows += [(name, meaning) for name, _, _, meaning in settings_page.STACK]
    assert [name for name, meaning in rows if not meaning] == []
