"""The README lists the existing services, and the services that each one calls."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from devstack.settings import Service, Settings
from tools import readme, rendered
from tools.readme import README, with_services

CALLS = {"order": [("catalog", 8085), ("user", 8081)], "user": [("point", 50051)]}


def shown(*services: Service) -> str:
    settings = Settings.read({})
    services = (*settings.services, *services)
    return with_services(
        README.read_text(), msgspec.structs.replace(settings, services=services), CALLS
    )


def test_a_new_service_is_in_the_picture_and_in_the_list() -> None:
    text = shown(Service("inventory", 8099, None, public=True, database=True))
    assert "    nginx -->|/api/inventories/v1| inventory[inventory :8099]\n" in text
    assert text.count(" & inventory ") == 4  # keys, Redis, databases, metrics
    assert "[inventory](services/inventory/README.md)" in text


def test_a_call_is_drawn_with_its_protocol_and_keys_of_tokens_once_for_all() -> None:
    text = shown()
    assert "    order -->|HTTP, deadline, breaker| catalog & user\n" in text
    assert "    user -->|gRPC, deadline, breaker| point\n" in text
    assert text.count("|public keys of tokens| user") == 1


def test_a_page_that_lacks_a_service_is_out_of_date(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    old = tmp_path / "README.md"
    old.write_text(README.read_text().replace("user", "person"))
    monkeypatch.setattr(rendered, "ROOT", tmp_path)
    monkeypatch.setattr(rendered, "files", dict)
    monkeypatch.setattr(readme, "README", old)
    assert rendered.main(["check"]) == 1
    assert "README.md is out of date: run make render" in capsys.readouterr().err
    assert rendered.main(["write"]) == 0
    assert rendered.main(["check"]) == 0
