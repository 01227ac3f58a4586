"""An unused name in `.env` causes a warning with a suggestion."""

from __future__ import annotations

import pytest

from devstack.settings import ROOT, Settings, service_names
from devstack.unknown import known_names, warnings
from tools import settings_page

KNOWN = known_names(ROOT / "docs" / "settings.md", service_names())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("USER_PROT", ".env: nothing reads USER_PROT: did you mean USER_PORT?"),
        ("user_port", ".env: nothing reads user_port: did you mean USER_PORT?"),
        ("USER_DB_POOL_MAXX", "did you mean USER_DB_POOL_MAX?"),
        ("ZEBRA", ".env: nothing reads ZEBRA: see docs/settings.md"),
    ],
)
def test_an_unknown_name_is_a_warning_with_the_nearest_setting(name, said):
    (sentence,) = warnings([name], KNOWN)
    assert sentence.endswith(said)


def test_no_setting_is_unknown():
    names = {entry.name for entry in settings_page.entries()} | set(Settings.read({}).ports())
    names |= {name for name, *_ in settings_page.STACK}
    named = {name for name in names if not name.startswith("<SVC>_")}
    assert named
    assert list(warnings(sorted({*named, "USER_DB_POOL_MAX", "COMPOSE_FILE"}), KNOWN)) == []
